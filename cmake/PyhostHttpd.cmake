# Where httpd's headers and binary are. apxs knows.

find_program(PYHOST_APXS NAMES apxs apxs2 PATHS /usr/bin /usr/sbin REQUIRED)

function(pyhost_apxs_query variable out)
  execute_process(COMMAND ${PYHOST_APXS} -q ${variable}
    OUTPUT_VARIABLE value OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
  set(${out} "${value}" PARENT_SCOPE)
endfunction()

pyhost_apxs_query(INCLUDEDIR HTTPD_INCLUDE_DIR)
pyhost_apxs_query(LIBEXECDIR HTTPD_MODULES_DIR)
pyhost_apxs_query(SBINDIR httpd_sbindir)
pyhost_apxs_query(runtimedir HTTPD_RUNTIME_DIR)
pyhost_apxs_query(sysconfdir HTTPD_CONF_DIR)
pyhost_apxs_query(PROGNAME httpd_progname)
pyhost_apxs_query(APR_INCLUDEDIR APR_INCLUDE_DIR)
pyhost_apxs_query(APU_INCLUDEDIR APU_INCLUDE_DIR)
set(HTTPD_EXECUTABLE ${httpd_sbindir}/${httpd_progname})

add_library(httpd_headers INTERFACE)
target_include_directories(httpd_headers SYSTEM INTERFACE
  ${HTTPD_INCLUDE_DIR} ${APR_INCLUDE_DIR} ${APU_INCLUDE_DIR})
target_compile_definitions(httpd_headers INTERFACE LINUX)
