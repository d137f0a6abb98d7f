#include "harness/httpd_root.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "harness/certificate.h"

namespace pyhost::test {
namespace {

std::optional<PortLease> lease_if(bool wanted) {
  return wanted ? std::make_optional<PortLease>() : std::nullopt;
}

bool starts_as_root(const Options& options) {
  return geteuid() == 0 && options.starter == Starter::tester;
}

// What the configuration has behind WSGIPythonPath, which is not for process groups.
std::string python_path_in(std::string_view config) {
  constexpr std::string_view kDirective = "WSGIPythonPath ";
  const auto start = config.find(kDirective);
  if (start == config.npos) return "";
  const auto rest = config.substr(start + kDirective.size());
  return std::string(rest.substr(0, rest.find('\n')));
}

ConfigInput input_of(const Options& options, const std::string& root, const Endpoint& endpoint,
                     std::string_view config) {
  const int processes = options.mpm == Mpm::prefork ? 4 : 1;
  return {.root = root,
          .mpm = options.mpm,
          .processes = options.processes.value_or(processes),
          .threads = options.threads,
          .processes_left = options.processes_left,
          .port = endpoint.port,
          .tls_port = options.tls ? std::optional(endpoint.tls_port) : std::nullopt,
          .certificate = endpoint.certificate,
          .http2 = options.http2,
          .wsgi_module = options.wsgi_module,
          .place = options.place,
          .python_path = python_path_in(config),
          .user = starts_as_root(options) ? kServerUser : ""};
}

// Makes the files of a server's root those of the user who starts it.
void give_away(const std::string& root) {
  const passwd* user = getpwnam(kServerUser);
  if (user == nullptr || lchown(root.c_str(), user->pw_uid, user->pw_gid) != 0) {
    ADD_FAILURE() << root << " could not be given to " << kServerUser;
  }
}

}  // namespace

HttpdRoot::HttpdRoot(std::string_view config, const Options& options)
    : tls_port_(lease_if(options.tls)),
      extra_environment_(options.environment),
      drops_root_(geteuid() == 0 && !starts_as_root(options)) {
  endpoint_.port = port_.port();
  if (tls_port_) {
    endpoint_.tls_port = tls_port_->port();
    endpoint_.certificate = test_certificate();
  }
  std::filesystem::create_directories(path() + "/htdocs");
  std::filesystem::create_directories(path() + "/apps");
  if (config.find("${APPS}") != config.npos) {
    folder_.copy(PYHOST_TEST_APPS_DIR, "");
  }
  for (const auto& [relative, text] : options.files) folder_.write(relative, text);
  folder_.write("httpd.conf", render_base_config(input_of(options, path(), endpoint_, config)) +
                                  std::string(config) + "\n");
  if (drops_root_) give_away(path());
}

Environment HttpdRoot::environment() const {
  Environment environment = {
      {"PATH", "/usr/bin:/bin:/usr/sbin:/sbin"}, {"LANG", "C"}, {kMark, path()}};
  if (std::string_view(PYHOST_TEST_SANITIZER_RUNTIME) != "") {
    // httpd itself is not instrumented: the runtime has to be there before the module is loaded.
    environment.emplace_back("LD_PRELOAD", PYHOST_TEST_SANITIZER_RUNTIME);
    environment.emplace_back("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1");
    environment.emplace_back("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1");
    environment.emplace_back("TSAN_OPTIONS", "halt_on_error=1");
  }
  environment.insert(environment.end(), extra_environment_.begin(), extra_environment_.end());
  return environment;
}

std::unique_ptr<Process> HttpdRoot::spawn(std::vector<std::string> arguments) const {
  ProcessSpec spec{.environment = environment(), .output_file = console_file()};
  if (drops_root_) {
    const std::string user = kServerUser;
    // The kernel forgets the wish to end with the test's process when the ids change.
    spec.arguments = {"/usr/bin/setpriv", "--reuid=" + user, "--regid=" + user, "--clear-groups",
                      "--pdeathsig=TERM"};
  }
  spec.arguments.insert(spec.arguments.end(),
                        {PYHOST_TEST_HTTPD_EXECUTABLE, "-f", path() + "/httpd.conf"});
  spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
  return std::make_unique<Process>(spec);
}

ConfigCheck HttpdRoot::run_to_end(std::vector<std::string> arguments) const {
  const std::unique_ptr<Process> httpd = spawn(std::move(arguments));
  const auto status = httpd->wait_status();
  if (!status) ADD_FAILURE() << "httpd runs on although it was to end by itself";
  ConfigCheck check{.output = output()};
  if (status && WIFEXITED(*status)) check.exit_code = WEXITSTATUS(*status);
  return check;
}

std::string HttpdRoot::output() const {
  return read_file(console_file()) + error_log();
}

}  // namespace pyhost::test
