#include "serve/target_check.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "base/printable.h"
#include "base/thread.h"
#include "plugin/plugin_loader.h"
#include "plugin/python_home.h"
#include "settings/global_name.h"

namespace pyhost::serve {
namespace {

// Keeps what the import says, to be shown only when it fails: httpd's child will say it again.
class ImportLog final : public base::LogSink {
 public:
  bool wants(base::LogLevel level) const noexcept override { return level <= base::LogLevel::info; }
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override {
    // Of our own only what went wrong; of the application's everything.
    if (message != base::Message::none && level > base::LogLevel::warn) return;
    const std::scoped_lock lock(mutex_);
    if (message != base::Message::none) {
      text_ += base::id_of(message);
      text_ += ": ";
    }
    text_ += text;
    if (!text.ends_with('\n')) text_ += '\n';
  }
  std::string text() {
    const std::scoped_lock lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

struct Python {
  plugin::PluginFile plugin;
  plugin::PythonHome home;
};

// The newest plugin; with --python-home the newest one that suits it.
base::Result<Python> choose_python(const Site& site, const std::string& plugin_folder) {
  const auto plugins = plugin::find_plugins(plugin_folder);
  if (plugins.empty()) {
    return base::fail(fmt::format("no engine plugin for Python: {}/pyhost-cpython-X.Y.so is needed",
                                  plugin_folder));
  }
  if (site.python_home.empty()) return Python{plugins.front(), {}};
  for (const plugin::PluginFile& plugin : plugins) {
    const auto home = plugin::inspect_python_home(site.python_home, plugin.python_version);
    if (home) return Python{plugin, *home};
  }
  const std::string& newest = plugins.front().python_version;
  return base::fail("--python-home: " +
                    plugin::inspect_python_home(site.python_home, newest).error().sentence);
}

gateway::EngineSettings engine_settings(const Site& site, const CheckSettings& settings,
                                        const plugin::PythonHome& home) {
  gateway::EngineSettings engine;
  engine.python_program = home.program;
  engine.python_home = home.home;
  engine.python_path = site.python_path;
  engine.multithread = settings.threads > 1;
  engine.multiprocess = false;
  engine.threads_max = settings.threads;
  // The import is only a trial: whatever compiled files it would leave, the server makes itself.
  engine.write_bytecode = false;
  return engine;
}

base::Result<> import_application(const Site& site, const CheckSettings& settings, ImportLog& log) {
  PH_TRY(python, choose_python(site, settings.plugin_folder));
  PH_TRY_VOID(require_readable(python.plugin.path));
  PH_TRY(plugin, plugin::load_plugin(python.plugin.path));
  auto engine = plugin->open(engine_settings(site, settings, python.home), log);
  if (!engine) return tl::unexpected(std::move(engine).error());
  const bool is_module = site.form == TargetForm::module;
  const bool in_main = settings.application_group == settings::kGlobalName;
  const gateway::Target target{
      .kind = is_module ? gateway::TargetKind::module : gateway::TargetKind::file,
      .application_group = in_main ? gateway::kMainInterpreter : settings.application_group,
      .script = is_module ? site.module : site.path,
      .callable = site.callable};
  auto outcome = (*engine)->prepare(target, log);
  // Threads of the application may still use it; the process ends without asking them.
  (void)engine->release();
  return outcome;
}

base::Result<> check(const Site& site, const CheckSettings& settings, ImportLog& log) {
  if (settings.user) PH_TRY_VOID(become(*settings.user));
  if (site.form != TargetForm::module) PH_TRY_VOID(require_readable(site.path));
  for (const std::string& folder : site.python_path) PH_TRY_VOID(require_readable(folder));
  for (const StaticMount& mount : site.statics) PH_TRY_VOID(require_readable(mount.folder));
  if (!site.runs_python()) return {};

  base::Result<> outcome;
  auto thread = base::NamedThread::start("import", base::kPythonStackBytes, [&] {
    outcome = import_application(site, settings, log);
  });
  if (!thread) return tl::unexpected(std::move(thread).error());
  thread->join();
  return outcome;
}

[[noreturn]] void run_check(const Site& site, const CheckSettings& settings) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  ImportLog log;
  const auto outcome = check(site, settings, log);
  if (!outcome) {
    const std::string said = fmt::format("{}pyhost: {}\n", log.text(), outcome.error().sentence);
    fmt::print(stderr, "{}", base::printable(said, "\n\t"));
    std::fflush(stderr);
  }
  _exit(outcome ? 0 : 1);
}

Verdict verdict_of(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status) == 0 ? Verdict::good : Verdict::bad;
  fmt::print(stderr, "pyhost: importing the application ended the process with signal {} ({})\n",
             WTERMSIG(status), strsignal(WTERMSIG(status)));
  return Verdict::bad;
}

}  // namespace

Verdict check_target(const Site& site, const CheckSettings& settings, StopSignals& signals) {
  const pid_t child = fork();
  if (child == 0) run_check(site, settings);
  if (child < 0) {
    fmt::print(stderr, "pyhost: fork: {}\n", std::strerror(errno));
    return Verdict::bad;
  }
  while (true) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) return verdict_of(status);
    pollfd ready{.fd = signals.fd(), .events = POLLIN, .revents = 0};
    poll(&ready, 1, -1);
    if (signals.stops_requested() > 0) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
      return Verdict::interrupted;
    }
  }
}

}  // namespace pyhost::serve
