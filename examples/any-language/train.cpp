// A trainable in C++: the six functions of <pbt/trainable.h> around a class.  The program is
// the worker; whoever calls pbt_worker_main() speaks no protocol.
#include <pbt/trainable.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iomanip>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

class Model {
public:
    explicit Model(const std::string &points)
    {
        std::ifstream in(points);
        double x;
        double y;
        while (in >> x >> y) {
            points_.emplace_back(x, y);
        }
        if (points_.empty()) {
            throw std::runtime_error("no points in " + points);
        }
    }

    void set_rate(double rate)
    {
        rate_ = rate;
    }

    // One step of gradient descent; returns the loss before it.
    double train()
    {
        double dw = 0;
        double db = 0;
        double loss = 0;
        const double n = static_cast<double>(points_.size());
        for (const auto &[x, y] : points_) {
            const double p = 1 / (1 + std::exp(-w_ * x - b_));
            loss -= std::log(y > 0 ? p : 1 - p) / n;
            dw += (p - y) * x / n;
            db += (p - y) / n;
        }
        w_ -= rate_ * dw;
        b_ -= rate_ * db;
        return loss;
    }

    void save(const std::string &dir) const
    {
        std::ofstream out(dir + "/model.txt");
        out << std::setprecision(17) << w_ << ' ' << b_ << '\n';
        if (!out.flush()) {
            throw std::runtime_error("can't write to " + dir);
        }
    }

    void load(const std::string &dir)
    {
        std::ifstream in(dir + "/model.txt");
        if (!(in >> w_ >> b_)) {
            throw std::runtime_error("damaged checkpoint: " + dir);
        }
    }

private:
    std::vector<std::pair<double, double>> points_;
    double w_ = 0;
    double b_ = 0;
    double rate_ = 0;
};

std::string points_file;

// No exception may leave through C.
template <typename Function>
int guarded(pbt_error *error, Function function)
{
    try {
        return function();
    } catch (const std::exception &problem) {
        return pbt_error_set(error, PBT_EFAILED, "%s", problem.what());
    }
}

int reset(void *self, const pbt_config *config, pbt_error *error)
{
    double rate;
    const int status = pbt_config_real(config, "lr", &rate, error);
    if (status == PBT_OK) {
        static_cast<Model *>(self)->set_rate(rate);
    }
    return status;
}

int setup(const pbt_context *context, void **self, pbt_error *error)
{
    return guarded(error, [=] {
        auto *model = new Model(points_file);
        const int status = reset(model, context->config, error);
        if (status == PBT_OK) {
            *self = model;
        } else {
            delete model;
        }
        return status;
    });
}

int step(void *self, pbt_result *result, pbt_error *error)
{
    return pbt_result_real(result, "loss", static_cast<Model *>(self)->train(),
                           error);
}

int save(void *self, const char *dir, pbt_error *error)
{
    return guarded(error, [=] {
        static_cast<const Model *>(self)->save(dir);
        return static_cast<int>(PBT_OK);
    });
}

int load(void *self, const char *dir, pbt_error *error)
{
    return guarded(error, [=] {
        static_cast<Model *>(self)->load(dir);
        return static_cast<int>(PBT_OK);
    });
}

void cleanup(void *self)
{
    delete static_cast<Model *>(self);
}

} // namespace

int main(int argc, char **argv)
{
    points_file = argc > 1 ? argv[1] : "points.txt";
    const pbt_trainable model = {PBT_TRAINABLE_INIT, setup, step,
                                 save,               load,  reset,
                                 cleanup};
    return pbt_worker_main(&model, argc, argv);
}
