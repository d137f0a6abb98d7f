// The part of a test's httpd configuration that every test has.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pyhost::test {

enum class Mpm { event, worker, prefork };

// "event".
std::string_view name_of(Mpm mpm) noexcept;

// From the environment variable PYHOST_TEST_MPM; event when it is not set.
Mpm default_mpm();

// Where applications run that the test's text names no process group for.
enum class Place { embedded, daemon };

// From the environment variable PYHOST_TEST_PLACE; embedded when it is not set.
Place default_place();

enum class WsgiModule { loaded, absent };

struct ConfigInput {
  std::string root;
  Mpm mpm = Mpm::event;
  int processes = 1;
  int threads = 16;
  int processes_left = 8;
  int port = 0;
  std::optional<int> tls_port;
  std::string certificate;  // PEM with the key behind it
  bool http2 = false;
  WsgiModule wsgi_module = WsgiModule::loaded;
  Place place = Place::embedded;
  std::string python_path;  // of the process group
  std::string user;         // of httpd's children; empty when httpd cannot change it
};

// Everything up to the place where the test's own text goes, which is server scope of the main
// server. The text can use ${ROOT}, ${APPS} (a copy of tests/apps), ${PORT} and ${TLS_PORT}.
std::string render_base_config(const ConfigInput& input);

}  // namespace pyhost::test
