#include "harness/httpd_config.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace pyhost::test {
namespace {

void load(std::string& config, std::string_view name) {
  fmt::format_to(std::back_inserter(config), "LoadModule {0}_module {1}/mod_{0}.so\n", name,
                 PYHOST_TEST_HTTPD_MODULES_DIR);
}

void load_modules(std::string& config, const ConfigInput& input) {
  load(config, fmt::format("mpm_{}", name_of(input.mpm)));
  for (const char* name :
       {"authn_core", "authn_file", "authz_core", "authz_host", "authz_user", "auth_basic", "alias",
        "mime", "dir", "env", "setenvif", "headers", "rewrite", "reqtimeout", "filter", "deflate",
        "ext_filter", "include", "status"}) {
    load(config, name);
  }
  if (input.http2) load(config, "http2");
  if (input.tls_port) {
    load(config, "socache_shmcb");
    load(config, "ssl");
  }
  fmt::format_to(std::back_inserter(config), "LoadModule crash_trace_module {}\n",
                 PYHOST_TEST_CRASH_TRACE_MODULE);
  if (input.wsgi_module == WsgiModule::loaded) {
    fmt::format_to(std::back_inserter(config),
                   "LoadModule wsgi_module {}/mod_pyhost.so\n"
                   "LogLevel info wsgi:debug\n",
                   PYHOST_TEST_BUILD_DIR);
  } else {
    config += "LogLevel info\n";
  }
}

void set_processes(std::string& config, const ConfigInput& input) {
  // A new generation starts while the old one still has its slots of httpd's scoreboard.
  const int slots = input.processes + input.processes_left;
  const auto out = std::back_inserter(config);
  if (input.mpm == Mpm::prefork) {
    fmt::format_to(out,
                   "ServerLimit {1}\nMaxRequestWorkers {1}\nStartServers {0}\n"
                   "MinSpareServers 1\nMaxSpareServers {1}\n",
                   input.processes, slots);
  } else {
    const int workers = input.processes * input.threads;
    fmt::format_to(out,
                   "ServerLimit {0}\nThreadLimit {1}\nThreadsPerChild {1}\nMaxRequestWorkers {2}\n"
                   "StartServers {3}\nMinSpareThreads 1\nMaxSpareThreads {2}\n",
                   slots, input.threads, workers, input.processes);
  }
}

void listen(std::string& config, const ConfigInput& input) {
  const auto out = std::back_inserter(config);
  fmt::format_to(out, "Listen 127.0.0.1:{}\n", input.port);
  if (input.http2) config += "Protocols h2 h2c http/1.1\n";
  if (input.tls_port) {
    fmt::format_to(out,
                   "Listen 127.0.0.1:{0}\n"
                   "SSLSessionCache shmcb:${{ROOT}}/tls_sessions(65536)\n"
                   "<VirtualHost 127.0.0.1:{0}>\n"
                   "  ServerName localhost\n"
                   "  SSLEngine on\n"
                   "  SSLCertificateFile {1}\n"
                   "</VirtualHost>\n",
                   *input.tls_port, input.certificate);
  }
}

}  // namespace

std::string_view name_of(Mpm mpm) noexcept {
  switch (mpm) {
    case Mpm::event:
      break;
    case Mpm::worker:
      return "worker";
    case Mpm::prefork:
      return "prefork";
  }
  return "event";
}

Mpm default_mpm() {
  const char* value = std::getenv("PYHOST_TEST_MPM");
  if (value == nullptr) return Mpm::event;
  for (const Mpm mpm : {Mpm::event, Mpm::worker, Mpm::prefork}) {
    if (name_of(mpm) == value) return mpm;
  }
  std::fprintf(stderr, "PYHOST_TEST_MPM=%s: event, worker or prefork is needed\n", value);
  std::abort();
}

Place default_place() {
  const char* value = std::getenv("PYHOST_TEST_PLACE");
  if (value == nullptr || value == std::string_view("embedded")) return Place::embedded;
  if (value == std::string_view("daemon")) return Place::daemon;
  std::fprintf(stderr, "PYHOST_TEST_PLACE=%s: embedded or daemon is needed\n", value);
  std::abort();
}

std::string render_base_config(const ConfigInput& input) {
  std::string config = fmt::format(
      "ServerRoot {0}\n"
      "DefaultRuntimeDir {0}\n"
      "PidFile {0}/httpd.pid\n"
      "ServerName localhost\n"
      "ErrorLog {0}/error.log\n"
      "DocumentRoot {0}/htdocs\n"
      "TypesConfig /etc/mime.types\n"
      "Define ROOT {0}\n"
      "Define APPS {0}/apps\n"
      "Define PORT {1}\n"
      "Define TLS_PORT {2}\n",
      input.root, input.port, input.tls_port.value_or(0));
  // TypesConfig belongs to a module, so the modules come first.
  std::string modules;
  load_modules(modules, input);
  config.insert(0, modules);

  set_processes(config, input);
  listen(config, input);
  if (!input.user.empty()) config += fmt::format("User {0}\nGroup {0}\n", input.user);
  config +=
      "<Directory />\n  Require all denied\n  AllowOverride None\n</Directory>\n"
      "<Directory \"${ROOT}/htdocs\">\n  Require all granted\n</Directory>\n"
      "<Directory \"${APPS}\">\n  Require all granted\n</Directory>\n";
  if (input.wsgi_module == WsgiModule::loaded && input.place == Place::daemon) {
    config += fmt::format("WSGIDaemonProcess tests threads={}", input.threads);
    if (!input.python_path.empty()) config += " python-path=" + input.python_path;
    config += "\nWSGIProcessGroup tests\n";
  }
  return config;
}

}  // namespace pyhost::test
