#include "serve/trial.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <sstream>

#include "base/printable.h"
#include "base/thread.h"
#include "launch/worker_environment.h"
#include "os/pipe.h"
#include "os/small_file.h"
#include "plugin/plugin_loader.h"
#include "plugin/python_choice.h"
#include "pyhost/gateway/channel_loops.h"
#include "serve/import_advice.h"
#include "serve/usual_names.h"
#include "settings/named_values.h"

namespace pyhost::serve {
namespace {

using base::Message;

// Keeps what the import says, to be shown only when it fails: the workers will say it again.
class ImportLog final : public base::LogSink {
 public:
  bool wants(base::LogLevel level) const noexcept override { return level <= base::LogLevel::info; }
  void log(base::LogLevel level, Message message, std::string_view text) noexcept override {
    const std::scoped_lock lock(mutex_);
    // That is the sentence of the failure, too.
    if (message == Message::callable_missing) {
      ++callables_missing_;
      return;
    }
    // Of our own only what went wrong; of the application's everything.
    if (message != Message::none && level > base::LogLevel::warn) return;
    if (message != Message::none) {
      text_ += base::id_of(message);
      text_ += ": ";
    }
    text_ += text;
    if (!text.ends_with('\n')) text_ += '\n';
  }
  std::string text() const {
    const std::scoped_lock lock(mutex_);
    return text_;
  }
  // How often a module did not define a callable.
  unsigned callables_missing() const {
    const std::scoped_lock lock(mutex_);
    return callables_missing_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
  unsigned callables_missing_ = 0;
};

// Who has the application imported.
class TrialCaller final : public gateway::Caller {
 public:
  explicit TrialCaller(ImportLog& log) noexcept : log_(log) {}
  bool wants(base::LogLevel level) const noexcept override { return log_.wants(level); }
  void log(base::LogLevel level, Message message, std::string_view text) noexcept override {
    log_.log(level, message, text);
  }

 private:
  ImportLog& log_;
};

base::Result<plugin::PythonChoice> choose_python(const Site& site,
                                                 const std::string& plugin_folder) {
  const auto plugins = plugin::find_plugins(plugin_folder);
  if (plugins.empty()) {
    return base::fail(fmt::format("no engine plugin for Python: {}/pyhost-cpython-X.Y.so is needed",
                                  plugin_folder));
  }
  auto choice = plugin::choose_python(plugins, {.home = site.python_home, .version = ""});
  if (choice) return choice;
  return base::fail(fmt::format(
      "{}: {}{}", site.python_home_source, choice.error().sentence,
      site.python_home_source.starts_with("--") ? "" : "; --python-home names another one"));
}

// --- In the child --------------------------------------------------------------------------------

class Trial {
 public:
  Trial(const Site& site, const ServeOptions& options, const TrialSettings& settings)
      : site_(site), options_(options), settings_(settings) {}

  base::Result<TrialReport> run() {
    if (settings_.user) PH_TRY_VOID(become(*settings_.user));
    report_.home_is_open = chdir(settings_.home.c_str()) == 0;
    if (auto open = require_files(); !open) return refusal_of_user(open.error().sentence);
    if (!site_.runs_python()) return report_;
    PH_TRY_VOID(set_environment());
    base::Result<> outcome;
    auto thread = base::NamedThread::start("import", base::kPythonStackBytes,
                                           [&] { outcome = import_application(); });
    if (!thread) return tl::unexpected(std::move(thread).error());
    thread->join();
    if (!outcome) return base::fail(with_advice(outcome.error().sentence, site_));
    return report_;
  }

  std::string said() const { return log_.text(); }

 private:
  base::Result<> require_files() const {
    if (!site_.path.empty()) PH_TRY_VOID(require_readable(site_.path));
    for (const std::string& folder : site_.python_path) PH_TRY_VOID(require_readable(folder));
    for (const StaticMount& mount : site_.statics) PH_TRY_VOID(require_readable(mount.path));
    if (!options_.document_root.empty()) PH_TRY_VOID(require_readable(options_.document_root));
    for (const std::string* file : {&options_.auth_file, &options_.auth_user_script}) {
      if (!file->empty()) PH_TRY_VOID(require_readable(*file));
    }
    for (const auto& [name, file] : options_.services) PH_TRY_VOID(require_readable(file));
    return {};
  }

  // Root's files are often closed to the user as whom root serves.
  tl::unexpected<base::Error> refusal_of_user(const std::string& sentence) const {
    return base::fail(
        sentence + (settings_.user ? "; let that user in, or name another one with --user" : ""));
  }

  // As the workers have it.
  base::Result<> set_environment() const {
    settings::ProcessGroup group;
    group.lang = group.locale = options_.locale;
    group.env_file = options_.env_file;
    for (const auto& [name, value] : options_.env) {
      group.env.push_back(fmt::format("{}={}", name, value));
    }
    std::string env_text;
    if (!options_.env_file.empty()) {
      auto text = os::read_small_file(options_.env_file);
      if (!text) {
        return base::fail(fmt::format("{} {} cannot be read: {}", options_.named("env-file"),
                                      options_.env_file, text.error().sentence));
      }
      env_text = *std::move(text);
    }
    PH_TRY(entries, launch::worker_environment(group, {}, environ, env_text));
    clearenv();
    for (const std::string& entry : entries) {
      const auto equals = entry.find('=');
      setenv(entry.substr(0, equals).c_str(), entry.substr(equals + 1).c_str(), 1);
    }
    return {};
  }

  gateway::EngineSettings engine_settings(const plugin::PythonHome& home) const {
    gateway::EngineSettings engine;
    engine.python_program = home.program;
    engine.python_home = home.home;
    if (!options_.embedded && report_.home_is_open) engine.first_path = settings_.home;
    engine.python_path = site_.python_path;
    engine.multithread = options_.threads > 1;
    engine.multiprocess = options_.processes != 0;
    engine.threads_max = options_.threads;
    // The import is only a trial: whatever compiled files it would leave, the server makes itself.
    engine.write_bytecode = false;
    // It starts nothing either.
    engine.event_loops.lifespan = gateway::LifespanUse::off;
    return engine;
  }

  base::Result<> import_application() {
    PH_TRY(python, choose_python(site_, settings_.plugin_folder));
    report_.python_version = python.plugin.python_version;
    if (auto open = require_readable(python.plugin.path); !open) {
      return refusal_of_user(open.error().sentence);
    }
    PH_TRY(plugin, plugin::load_plugin(python.plugin.path));
    auto engine = plugin->open(engine_settings(python.home), log_);
    if (!engine) return tl::unexpected(std::move(engine).error());
    auto outcome = find_callable(**engine);
    // Threads of the application may still use it; the process ends without asking them.
    (void)engine->release();
    return outcome;
  }

  base::Result<> find_callable(gateway::Engine& engine) {
    if (!site_.callable.empty()) return prepare(engine, site_.callable);
    base::Result<> first;
    for (const std::string_view callable : kUsualCallables) {
      const unsigned missing_before = log_.callables_missing();
      auto outcome = prepare(engine, callable);
      if (outcome || log_.callables_missing() == missing_before) return outcome;
      if (first) first = std::move(outcome);
    }
    return first;
  }

  base::Result<> prepare(gateway::Engine& engine, std::string_view callable) {
    const bool is_module = site_.form == TargetForm::module;
    const bool in_main = options_.application_group == settings::kGlobalName;
    report_.callable = callable;
    const gateway::Target target{
        .kind = is_module ? gateway::TargetKind::module : gateway::TargetKind::file,
        .application_group =
            in_main ? gateway::kMainInterpreter : std::string_view(options_.application_group),
        .script = is_module ? site_.module : site_.path,
        .callable = callable,
        .protocol = settings::value_named(settings::kInterfaces, options_.interface)
                        .value_or(gateway::Protocol::detected)};
    PH_TRY_VOID(engine.prepare(target, log_));
    TrialCaller caller(log_);
    gateway::ChannelLoops* const loops = engine.loops();
    const auto place = loops != nullptr
                           ? loops->place(target, caller)
                           : tl::expected<gateway::ChannelLoop*, gateway::Outcome>(nullptr);
    report_.is_asgi = place && *place != nullptr;
    return {};
  }

  const Site& site_;
  const ServeOptions& options_;
  const TrialSettings& settings_;
  ImportLog log_;
  TrialReport report_;
};

[[noreturn]] void run_child(Trial& trial, int report_out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto report = trial.run();
  if (!report) {
    const std::string said = fmt::format("{}pyhost: {}\n", trial.said(), report.error().sentence);
    fmt::print(stderr, "{}", base::printable(said, "\n\t"));
    std::fflush(stderr);
    _exit(1);
  }
  dprintf(report_out, "%s\n%s\n%d\n%d\n", report->callable.c_str(), report->python_version.c_str(),
          report->home_is_open ? 1 : 0, report->is_asgi ? 1 : 0);
  _exit(0);
}

// --- In the parent -------------------------------------------------------------------------------

TrialOutcome outcome_of(int status, int report_in) {
  if (WIFSIGNALED(status)) {
    return base::fail(fmt::format("importing the application ended the process with signal {} ({})",
                                  WTERMSIG(status), strsignal(WTERMSIG(status))));
  }
  if (WEXITSTATUS(status) != 0) return base::fail("");
  std::array<char, 4096> buffer;
  const ssize_t got = read(report_in, buffer.data(), buffer.size());
  std::istringstream text(
      std::string(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))));
  TrialReport report;
  std::string home, is_asgi;
  std::getline(text, report.callable);
  std::getline(text, report.python_version);
  std::getline(text, home);
  std::getline(text, is_asgi);
  report.home_is_open = home == "1";
  report.is_asgi = is_asgi == "1";
  return std::optional(std::move(report));
}

}  // namespace

TrialOutcome try_application(const Site& site, const ServeOptions& options,
                             const TrialSettings& settings, StopSignals& signals) {
  PH_TRY(report, os::make_pipe());
  Trial trial(site, options, settings);
  const pid_t child = fork();
  if (child == 0) run_child(trial, report.write_end.get());
  if (child < 0) return base::fail(fmt::format("fork: {}", std::strerror(errno)));
  report.write_end.reset();
  while (true) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) {
      return outcome_of(status, report.read_end.get());
    }
    pollfd ready{.fd = signals.fd(), .events = POLLIN, .revents = 0};
    poll(&ready, 1, -1);
    if (signals.stops_requested() > 0) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
      return std::nullopt;
    }
  }
}

}  // namespace pyhost::serve
