/*
 * What a machine gives an experiment: control groups recorded from real ones
 * (tests/machines), GPUs from variables, the management library and /proc, and how shares
 * are packed onto devices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/cgroup.h"
#include "base/cpus.h"
#include "exec/budget.h"

#define MACHINES PBT_SOURCE_DIR "/tests/machines/"
#define NO_LIBRARY "libnvidia-ml-that-is-not-here.so.1"
#define GIB 0x40000000u

/* --- control groups --------------------------------------------------------- */

static void check_groups(const char *tree, double cpus, uint64_t memory)
{
    char root[256];
    (void)snprintf(root, sizeof root, MACHINES "%s", tree);
    print_message("%s\n", tree);
    assert_true(pbt_cgroup_cpus(root) == cpus);
    assert_int_equal(pbt_cgroup_memory(root), memory);
}

static void limits_of_the_group_and_of_those_above_it_count(void **state)
{
    (void)state;
    check_groups("v2", 1.5, (uint64_t)8 * GIB);
    check_groups("v2-container", 0.5, (uint64_t)2 * GIB);
    check_groups("v2-space", 1.5, 0);
    check_groups("v1-container", 2.5, (uint64_t)4 * GIB);
    check_groups("v1-slurm", 0, (uint64_t)16 * GIB);
}

static void what_cannot_be_read_limits_nothing(void **state)
{
    (void)state;
    check_groups("garbage", 0, 0);
    check_groups("no-such-machine", 0, 0);
}

static void check_kills(const char *tree, uint64_t kills)
{
    char root[256];
    (void)snprintf(root, sizeof root, MACHINES "%s", tree);
    print_message("%s\n", tree);
    assert_int_equal(pbt_cgroup_oom_kills(root), kills);
}

static void who_was_killed_for_lack_of_memory_is_counted(void **state)
{
    (void)state;
    check_kills("v2", 3);
    check_kills("v1-slurm", 2);
    check_kills("v2-container", 7); /* of the machine */
    check_kills("garbage", 0);
    check_kills("no-such-machine", 0);
}

static void this_machine_has_a_cpu(void **state)
{
    (void)state;
    assert_true(pbt_cpus() > 0);
}

/* --- GPUs ------------------------------------------------------------------- */

static int find(char *const *added, char *const *environment, const char *nvml,
                const char *proc, struct pbt_gpus *gpus,
                struct pbt_error *error)
{
    char path[256];
    (void)snprintf(path, sizeof path, MACHINES "%s/nvidia/gpus", proc);
    struct pbt_gpu_places places = {added, environment, nvml, path};
    return pbt_gpus_find(&places, gpus, error);
}

static void check_variable(const char *setting, const char *expected)
{
    char text[512];
    char *environment[] = {text, NULL};
    struct pbt_gpus gpus;
    struct pbt_error error;
    char all[512] = "";
    (void)snprintf(text, sizeof text, "%s", setting);
    assert_int_equal(
        find(NULL, environment, NO_LIBRARY, "gpus-named", &gpus, &error),
        PBT_OK);
    for (uint32_t i = 0; i < gpus.count; i++) {
        size_t length = strlen(all);
        (void)snprintf(all + length, sizeof all - length, "%s%s",
                       i > 0 ? " " : "", gpus.names[i]);
    }
    assert_string_equal(all, expected);
    assert_int_equal(strncmp(setting, gpus.variable, strlen(gpus.variable)), 0);
    assert_string_equal(gpus.found_in, gpus.variable);
}

static void a_variable_says_which_gpus_are_ours(void **state)
{
    (void)state;
    check_variable("CUDA_VISIBLE_DEVICES=0,2", "0 2");
    check_variable("CUDA_VISIBLE_DEVICES= 3 , 1 ", "3 1");
    check_variable("CUDA_VISIBLE_DEVICES=GPU-8932f937-d72c",
                   "GPU-8932f937-d72c");
    check_variable("CUDA_VISIBLE_DEVICES=MIG-GPU-8932/1/0", "MIG-GPU-8932/1/0");
    check_variable("HIP_VISIBLE_DEVICES=1", "1");
    check_variable("ROCR_VISIBLE_DEVICES=0,GPU-DEADBEEF", "0 GPU-DEADBEEF");
    /* None, though the machine has two. */
    check_variable("CUDA_VISIBLE_DEVICES=", "");
    check_variable("CUDA_VISIBLE_DEVICES=-1", "");
    check_variable("CUDA_VISIBLE_DEVICES=NoDevFiles", "");
}

static void check_wrong(const char *setting, const char *expected)
{
    char text[512];
    char *environment[] = {text, NULL};
    struct pbt_gpus gpus;
    struct pbt_error error;
    (void)snprintf(text, sizeof text, "%s", setting);
    assert_int_equal(find(NULL, environment, NO_LIBRARY, "none", &gpus, &error),
                     PBT_ECONFIG);
    assert_non_null(strstr(error.text, expected));
}

static void a_variable_that_is_wrong_is_said_to_be(void **state)
{
    (void)state;
    check_wrong("CUDA_VISIBLE_DEVICES=0,x", "\"x\" is neither");
    check_wrong("CUDA_VISIBLE_DEVICES=0,,1", "\"\" is neither");
    check_wrong("CUDA_VISIBLE_DEVICES=1,0,1", "1 is there twice");
    check_wrong("CUDA_VISIBLE_DEVICES=0 1", "commas part devices");
    check_wrong("HIP_VISIBLE_DEVICES=GPU-", "\"GPU-\" is neither");
    check_wrong("CUDA_VISIBLE_DEVICES=-2", "\"-2\" is neither");
}

static void the_experiment_file_has_the_last_word(void **state)
{
    (void)state;
    char *ours[] = {(char[]){"CUDA_VISIBLE_DEVICES=0,1,2,3"}, NULL};
    char *added[] = {(char[]){"X=1"}, (char[]){"CUDA_VISIBLE_DEVICES=3"}, NULL};
    struct pbt_gpus gpus;
    struct pbt_error error;
    assert_int_equal(find(added, ours, NO_LIBRARY, "none", &gpus, &error),
                     PBT_OK);
    assert_int_equal(gpus.count, 1);
    assert_string_equal(gpus.names[0], "3");
}

/* HIP counts what ROCr has left: its numbers are the ones to narrow. */
static void of_two_variables_of_amd_the_inner_one_counts(void **state)
{
    (void)state;
    char *ours[] = {(char[]){"ROCR_VISIBLE_DEVICES=2,3"},
                    (char[]){"HIP_VISIBLE_DEVICES=1"}, NULL};
    struct pbt_gpus gpus;
    struct pbt_error error;
    assert_int_equal(find(NULL, ours, NO_LIBRARY, "none", &gpus, &error),
                     PBT_OK);
    assert_string_equal(gpus.variable, "HIP_VISIBLE_DEVICES");
    assert_int_equal(gpus.count, 1);
}

static void the_management_library_knows_uuids(void **state)
{
    (void)state;
    char *none[] = {NULL};
    struct pbt_gpus gpus;
    struct pbt_error error;
    assert_int_equal(find(NULL, none, FAKE_NVML, "gpus-named", &gpus, &error),
                     PBT_OK);
    assert_string_equal(gpus.found_in, "libnvidia-ml");
    assert_int_equal(gpus.count, 2); /* one is lost */
    assert_string_equal(gpus.names[0], "GPU-00000000");
    assert_string_equal(gpus.names[1], "GPU-00000002");
    assert_string_equal(gpus.variable, "CUDA_VISIBLE_DEVICES");
    assert_false(gpus.pci_order);
    /* Installed, but no driver runs: the kernel's word counts. */
    assert_int_equal(setenv("FAKE_NVML_NO_DRIVER", "1", 1), 0);
    assert_int_equal(find(NULL, none, FAKE_NVML, "gpus-named", &gpus, &error),
                     PBT_OK);
    assert_int_equal(unsetenv("FAKE_NVML_NO_DRIVER"), 0);
    assert_string_equal(gpus.found_in, "/proc/driver/nvidia");
}

static void the_kernel_module_knows_them_too(void **state)
{
    (void)state;
    char *none[] = {NULL};
    struct pbt_gpus gpus;
    struct pbt_error error;
    assert_int_equal(find(NULL, none, NO_LIBRARY, "gpus-named", &gpus, &error),
                     PBT_OK);
    assert_int_equal(gpus.count, 2);
    assert_string_equal(gpus.names[1],
                        "GPU-99999999-2222-3333-4444-555555555555");
    assert_false(gpus.pci_order);
    /* Without their UUIDs they have numbers, in the order of the bus. */
    assert_int_equal(find(NULL, none, NO_LIBRARY, "gpus-hidden", &gpus, &error),
                     PBT_OK);
    assert_int_equal(gpus.count, 2);
    assert_string_equal(gpus.names[1], "1");
    assert_true(gpus.pci_order);
    assert_int_equal(find(NULL, none, NO_LIBRARY, "none", &gpus, &error),
                     PBT_OK);
    assert_int_equal(gpus.count, 0);
    assert_null(gpus.found_in);
}

/* --- slots ------------------------------------------------------------------ */

static struct pbt_budget machine(uint32_t gpus)
{
    struct pbt_budget budget = {
        .machine = {.cpus = 1000, .gpus = gpus, .memory = (uint64_t)64 * GIB},
        .gpus = {.variable = "CUDA_VISIBLE_DEVICES", .count = gpus}};
    for (uint32_t i = 0; i < gpus; i++) {
        (void)snprintf(budget.gpus.names[i], PBT_GPU_NAME_SIZE, "%u",
                       (unsigned)i);
    }
    return budget;
}

static struct pbt_spec trial(double gpu)
{
    return (struct pbt_spec){
        .trial_cpu = 1, .trial_gpu = gpu, .settings.population = 1000};
}

static void check_slots(double gpu, uint32_t gpus, uint32_t given,
                        const char *expected)
{
    struct pbt_spec spec = trial(gpu);
    struct pbt_budget budget = machine(gpus);
    struct pbt_error error;
    char all[1024] = "";
    spec.resources_gpu = given;
    assert_int_equal(pbt_budget_make(&spec, &budget, &error), PBT_OK);
    for (uint32_t slot = 0; slot < budget.slots; slot++) {
        char text[256];
        size_t length = strlen(all);
        assert_true(
            pbt_budget_devices(&spec, &budget, slot, text, sizeof text));
        (void)snprintf(all + length, sizeof all - length, "%s%s",
                       slot > 0 ? " " : "", text);
    }
    assert_string_equal(all, expected);
}

static void shares_are_packed_onto_devices(void **state)
{
    (void)state;
    check_slots(1, 4, 0, "0 1 2 3");
    check_slots(0.5, 2, 0, "0 0 1 1");
    check_slots(0.6, 3, 0, "0 1 2");
    check_slots(0.25, 1, 0, "0 0 0 0");
    check_slots(0.1, 1, 0, "0 0 0 0 0 0 0 0 0 0");
    check_slots(1.0 / 3, 2, 0, "0 0 0 1 1 1");
    check_slots(2, 5, 0, "0,1 2,3");
    check_slots(0.5, 4, 1, "0 0");
    check_slots(2, 4, 2, "0,1");
}

/* Whatever the shares: no device is given away more than once over. */
static void no_device_is_ever_overbooked(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 2000; round++) {
        uint32_t gpus = 1 + (uint32_t)rand() % 8;
        bool whole = rand() % 3 == 0;
        double gpu =
            whole ? 1 + rand() % (int)gpus : (1 + rand() % 100) / 100.0;
        struct pbt_spec spec = trial(gpu);
        struct pbt_budget budget = machine(gpus);
        struct pbt_error error;
        double used[8] = {0};
        assert_int_equal(pbt_budget_make(&spec, &budget, &error), PBT_OK);
        for (uint32_t slot = 0; slot < budget.slots; slot++) {
            char text[256];
            char *save;
            double devices = 0;
            assert_true(
                pbt_budget_devices(&spec, &budget, slot, text, sizeof text));
            for (char *word = strtok_r(text, ",", &save); word != NULL;
                 word = strtok_r(NULL, ",", &save)) {
                used[strtol(word, NULL, 10)] += gpu < 1 ? gpu : 1;
                devices++;
            }
            assert_true(devices == (gpu < 1 ? 1 : gpu));
        }
        for (uint32_t i = 0; i < gpus; i++) {
            assert_true(used[i] <= 1 + 1e-9);
        }
        if (gpu < 1) { /* and none lies idle for want of a share that fits */
            assert_int_equal(budget.slots, gpus * (uint32_t)(1 / gpu + 1e-9));
        }
    }
}

static void the_scarcest_resource_counts(void **state)
{
    (void)state;
    struct pbt_spec spec = trial(0.5);
    struct pbt_machine here = {.cpus = 7.5, .gpus = 8, .memory = 32u * 1024};
    const char *scarce;
    spec.trial_cpu = 2;
    assert_int_equal(pbt_spec_slots(&spec, &here, &scarce), 3);
    assert_string_equal(scarce, "cpu");
    here.gpus = 1;
    assert_int_equal(pbt_spec_slots(&spec, &here, &scarce), 2);
    assert_string_equal(scarce, "gpu");
    spec.trial_memory = 32 * 1024;
    assert_int_equal(pbt_spec_slots(&spec, &here, &scarce), 1);
    assert_string_equal(scarce, "memory");
    spec.resources_memory = 64 * 1024;
    spec.settings.population = 1;
    assert_int_equal(pbt_spec_slots(&spec, &here, &scarce), 1);
    assert_null(scarce);
}

static void a_trial_that_cannot_fit_is_an_error(void **state)
{
    (void)state;
    struct pbt_spec spec = trial(1);
    struct pbt_budget budget = machine(0);
    struct pbt_error error;
    assert_int_equal(pbt_budget_make(&spec, &budget, &error), PBT_ECONFIG);
    assert_non_null(strstr(error.text, "a trial takes 1 GPUs"));
    budget = machine(2);
    spec.resources_gpu = 3;
    assert_int_equal(pbt_budget_make(&spec, &budget, &error), PBT_ECONFIG);
    assert_non_null(strstr(error.text, "resources.gpu is 3, but 2 are here"));
    spec = trial(0);
    spec.trial_memory = (uint64_t)65 * GIB;
    assert_int_equal(pbt_budget_make(&spec, &budget, &error), PBT_ECONFIG);
    assert_non_null(strstr(error.text, "65 GiB"));
}

static void gpus_that_nobody_asked_for_are_a_warning(void **state)
{
    (void)state;
    struct pbt_spec spec = trial(0);
    struct pbt_budget budget = machine(2);
    char text[256];
    budget.gpus.found_in = "libnvidia-ml";
    assert_true(pbt_budget_warning(&spec, &budget, text, sizeof text));
    assert_non_null(strstr(text, "2 GPUs are here (libnvidia-ml)"));
    spec = trial(0.5);
    assert_false(pbt_budget_warning(&spec, &budget, text, sizeof text));
    spec = trial(0);
    budget = machine(0);
    assert_false(pbt_budget_warning(&spec, &budget, text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_of_the_group_and_of_those_above_it_count),
        cmocka_unit_test(what_cannot_be_read_limits_nothing),
        cmocka_unit_test(who_was_killed_for_lack_of_memory_is_counted),
        cmocka_unit_test(this_machine_has_a_cpu),
        cmocka_unit_test(a_variable_says_which_gpus_are_ours),
        cmocka_unit_test(a_variable_that_is_wrong_is_said_to_be),
        cmocka_unit_test(the_experiment_file_has_the_last_word),
        cmocka_unit_test(of_two_variables_of_amd_the_inner_one_counts),
        cmocka_unit_test(the_management_library_knows_uuids),
        cmocka_unit_test(the_kernel_module_knows_them_too),
        cmocka_unit_test(shares_are_packed_onto_devices),
        cmocka_unit_test(no_device_is_ever_overbooked),
        cmocka_unit_test(the_scarcest_resource_counts),
        cmocka_unit_test(a_trial_that_cannot_fit_is_an_error),
        cmocka_unit_test(gpus_that_nobody_asked_for_are_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
