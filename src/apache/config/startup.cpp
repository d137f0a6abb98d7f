#include "apache/config/startup.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include "apache/check/check_run.h"
#include "apache/config/config.h"
#include "apache/config/configuration_notes.h"
#include "apache/config/hook_directives.h"
#include "apache/config/interface_check.h"
#include "apache/config/preloads.h"
#include "apache/config/process_groups.h"
#include "apache/config/start_check.h"
#include "apache/log.h"
#include "apache/log_levels.h"
#include "apache/pool.h"
#include "apache/process/embedded_engine.h"
#include "apache/process/run_state.h"
#include "base/thread.h"

namespace pyhost::apache {
namespace {

using base::LogLevel;
using base::Message;

// What threads get when ThreadStackSize is not set.
std::size_t default_stack_bytes() {
  rlimit limit{};
  const bool known = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return known ? static_cast<std::size_t>(limit.rlim_cur) : 0;
}

void raise_stack_size(const server_rec* s) {
  const std::size_t bytes = ap_thread_stacksize != 0 ? ap_thread_stacksize : default_stack_bytes();
  if (bytes >= base::kPythonStackBytes) return;
  ap_thread_stacksize = base::kPythonStackBytes;
  log_server(s, LogLevel::info, Message::stack_raised,
             fmt::format("ThreadStackSize is raised from {} to the {} bytes that Python needs",
                         bytes, base::kPythonStackBytes));
}

// In httpd's first record, and in the Server header where ServerTokens says so.
void name_version(apr_pool_t* pconf) {
  ap_add_version_component(pconf, "mod_pyhost/" PYHOST_VERSION);
  const std::string python = embedded_python();
  if (python.empty()) return;
  ap_add_version_component(pconf, pool_c_string(pconf, "Python/" + python));
}

StartPythons check(server_rec* main_server, Findings& findings) {
  check_process_groups(main_server, findings);
  check_hook_scripts(main_server, findings);
  check_interfaces(main_server, findings);
  for (server_rec* s = main_server; s != nullptr; s = s->next) {
    if (has_own_config(s)) expand_preloads(s, findings);
  }
  note_what_is_inert(main_server, findings);
  // In a restart the supervisor finds that out: here, a mistake would end httpd.
  StartPythons pythons;
  if (is_only_a_check()) pythons = check_starts(findings);
  // Whoever starts httpd wants it up; whoever tests wants to know.
  if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST) {
    check_what_is_served(main_server, findings);
  }
  return pythons;
}

}  // namespace

int check_configuration(apr_pool_t*, apr_pool_t*, apr_pool_t*, server_rec* s) {
  complete_settings(s);
  keep_what_is_printed(s);
  Findings findings;
  const StartPythons pythons = check(s, findings);
  if (is_asked_by_pyhost()) {
    answer_pyhost(s, findings, pythons);
    return OK;
  }
  findings.log();
  return findings.prevent_start() ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

int prepare_children(apr_pool_t* pconf, apr_pool_t*, apr_pool_t*, server_rec* s) {
  if (is_only_a_check()) return OK;
  name_version(pconf);
  Findings findings;
  note_python_variables(s, findings);
  findings.log();
  if (*process_settings().restrict_embedded) return OK;
  raise_stack_size(s);
  if (const auto plugin = find_plugin(); !plugin) {
    log_server(s, LogLevel::warn, Message::plugin_missing, plugin.error().sentence);
  }
  return OK;
}

}  // namespace pyhost::apache
