// The server itself: its folders, user, processes and patience.
#include "base/thread.h"
#include "serve/config_lines.h"
#include "serve/config_words.h"
#include "serve/front_size.h"

namespace pyhost::serve {
namespace {

Workers workers_of(const ConfigSource& source) {
  if (source.site.has_event_loop) return Workers::with_event_loops;
  const bool embedded = source.site.runs_python() && source.options.embedded;
  return embedded ? Workers::none : Workers::with_threads;
}

void write_processes(ConfigLines& lines, const ConfigSource& source) {
  const bool in_workers = source.site.runs_python() && !source.options.embedded;
  const FrontSize size = front_size(source.options, workers_of(source));
  lines.heading(in_workers ? "Processes that take requests, and pass them to the workers"
                           : "One process that serves");
  // Those of before go on beside those of after a graceful restart.
  lines.line("ServerLimit {}", 2 * size.children + 2);
  lines.line("StartServers 1");
  lines.line("ThreadLimit {}", size.threads_per_child);
  lines.line("ThreadsPerChild {}", size.threads_per_child);
  lines.line("MaxRequestWorkers {}", size.requests());
  lines.line("MinSpareThreads 1");
  lines.line("MaxSpareThreads {}", size.requests());
  if (source.site.runs_python() && source.options.embedded) {
    lines.line("ThreadStackSize {}", base::kPythonStackBytes);
  }
}

std::int64_t seconds(base::Milliseconds time) {
  return std::chrono::ceil<std::chrono::seconds>(time).count();
}

// A part of RequestReadTimeout: "header=20-40,MinRate=500".
std::string read_timeout(std::string_view part, base::Milliseconds least, base::Milliseconds most,
                         int rate) {
  std::string text = fmt::format("{}={}", part, seconds(least));
  if (least == base::Milliseconds(0)) return text;
  if (most > least) text += fmt::format("-{}", seconds(most));
  return rate > 0 ? fmt::format("{},MinRate={}", text, rate) : text;
}

void write_patience(ConfigLines& lines, const ServeOptions& options) {
  lines.heading("How long clients are waited for");
  lines.line(
      "RequestReadTimeout {} {}",
      read_timeout("header", options.header_timeout, options.header_max_timeout,
                   options.header_min_rate),
      read_timeout("body", options.body_timeout, options.body_max_timeout, options.body_min_rate));
  lines.line("Timeout {}", seconds(options.socket_timeout));
  if (options.keep_alive_timeout == base::Milliseconds(0)) {
    lines.line("KeepAlive Off");
  } else {
    lines.line("KeepAliveTimeout {}ms", options.keep_alive_timeout.count());
  }
}

}  // namespace

void write_server(ConfigLines& lines, const ConfigSource& source) {
  lines.heading("The server");
  const std::string root = config_word(source.plan.server_root);
  lines.line("ServerRoot {}", root);
  lines.line("DefaultRuntimeDir {}", root);
  lines.line("PidFile {}", config_word(source.plan.server_root + "/httpd.pid"));
  if (!source.plan.user.empty()) {
    lines.line("User {}", source.plan.user);
    lines.line("Group {}", source.plan.group);
  }
  for (const char* name : {"mpm_event", "unixd", "log_config", "authz_core", "reqtimeout"}) {
    lines.load(name);
  }
  if (source.site.runs_python()) {
    lines.line("LoadModule wsgi_module {}", config_word(source.plan.module_file));
  }
  write_processes(lines, source);
  write_patience(lines, source.options);
}

}  // namespace pyhost::serve
