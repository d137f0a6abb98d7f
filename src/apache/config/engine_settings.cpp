#include "apache/config/engine_settings.h"

#include "apache/config/config.h"
#include "apache/httpd_api.h"

namespace pyhost::apache {
namespace {

std::array<int, 3> server_version() {
  ap_version_t version;
  ap_get_server_revision(&version);
  return {version.major, version.minor, version.patch};
}

gateway::ServerFacts server_facts() {
  return {.built_for = {AP_SERVER_MAJORVERSION_NUMBER, AP_SERVER_MINORVERSION_NUMBER,
                        AP_SERVER_PATCHLEVEL_NUMBER},
          .description = ap_get_server_description(),
          .build_date = ap_get_server_built(),
          .mpm = ap_show_mpm(),
          .processes_max = mpm_number(AP_MPMQ_MAX_DAEMONS),
          .threads_max = mpm_number(AP_MPMQ_MAX_THREADS)};
}

}  // namespace

int mpm_number(int query) {
  int number = 1;
  if (ap_mpm_query(query, &number) != APR_SUCCESS || number < 1) return 1;
  return number;
}

gateway::EngineSettings common_engine_settings(std::string_view process_group) {
  const settings::ProcessSettings& settings = process_settings();
  gateway::EngineSettings engine;
  engine.optimize = static_cast<int>(*settings.optimize);
  if (settings.warnings) engine.warnings = {settings.warnings->begin(), settings.warnings->end()};
  engine.hash_seed = settings.hash_seed->fixed;
  if (settings.switch_interval) engine.switch_interval_seconds = settings.switch_interval->count();
  engine.write_bytecode = !*settings.dont_write_bytecode;
  engine.restrict_stdin = *settings.restrict_stdin;
  engine.restrict_stdout = *settings.restrict_stdout;
  engine.restrict_signal = *settings.restrict_signal;
  engine.own_lock = *settings.per_interpreter_gil;
  engine.logging = *settings.logging;
  engine.metrics_of_prometheus_client = *settings.metrics;
  engine.destroy_interpreters = *settings.destroy_interpreter;
  engine.case_sensitive_paths = *settings.case_sensitivity;
  engine.interpreters_max = *settings.interpreter_limit;
  engine.server_version = server_version();
  engine.server = server_facts();
  engine.interpreters = interpreter_options(process_group);
  return engine;
}

}  // namespace pyhost::apache
