# The Python client (python/libpbt): beside the command, where the Python of this machine
# looks below /usr/local.  `pip install ./python` needs none of this.
find_program(PBT_PYTHON NAMES python3 HINTS /usr/bin)
if(PBT_PYTHON AND NOT PBT_PYTHON_DIR)
  execute_process(
    COMMAND
      ${PBT_PYTHON} -c "import sys, sysconfig
print('lib/python%d.%d/' % sys.version_info[:2] + (
    'dist' if 'deb_system' in sysconfig.get_scheme_names() else 'site')
    + '-packages', end='')"
    OUTPUT_VARIABLE directory COMMAND_ERROR_IS_FATAL ANY)
  set(PBT_PYTHON_DIR ${directory}
      CACHE STRING "where the Python client goes, below the prefix")
endif()
if(PBT_PYTHON_DIR)
  install(DIRECTORY python/libpbt DESTINATION ${PBT_PYTHON_DIR}
          PATTERN __pycache__ EXCLUDE)
else()
  message(STATUS "no python3: the Python client is not installed")
endif()
