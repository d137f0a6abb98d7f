# The CPython that the plugin is built for, and that runs what names none. Another one:
# -DPYHOST_PYTHON=/path/to/python3.

set(PYHOST_PYTHON /usr/bin/python3 CACHE FILEPATH "The Python to build the plugin for")

function(pyhost_python_query expression out)
  execute_process(COMMAND ${PYHOST_PYTHON} -I -c "import sys, sysconfig; print(${expression})"
    OUTPUT_VARIABLE value OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(${out} "${value}" PARENT_SCOPE)
endfunction()

pyhost_python_query("'%d.%d' % sys.version_info[:2]" PYTHON_VERSION)
if(NOT PYHOST_BUILDS_PLUGIN)
  return()
endif()

pyhost_python_query("sysconfig.get_path('include')" PYTHON_INCLUDE_DIR)
pyhost_python_query("sysconfig.get_config_var('LIBDIR')" python_libdir)
pyhost_python_query("sysconfig.get_config_var('LDLIBRARY')" python_ldlibrary)
pyhost_python_query("sys.base_prefix + '/bin/python%d.%d' % sys.version_info[:2]" PYTHON_PROGRAM)
if(PYTHON_VERSION VERSION_LESS 3.10)
  message(FATAL_ERROR "${PYHOST_PYTHON} is Python ${PYTHON_VERSION}; mod_pyhost needs 3.10 or newer")
endif()
find_library(PYTHON_LIBRARY NAMES ${python_ldlibrary} PATHS ${python_libdir} NO_DEFAULT_PATH REQUIRED)

add_library(cpython INTERFACE)
target_include_directories(cpython SYSTEM INTERFACE ${PYTHON_INCLUDE_DIR})
target_link_libraries(cpython INTERFACE ${PYTHON_LIBRARY} ${CMAKE_DL_LIBS})
