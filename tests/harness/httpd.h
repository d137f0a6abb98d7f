// A real httpd for one test.
//
//   Httpd httpd(R"(WSGIScriptAlias / ${APPS}/hello.wsgi)");
//   const Response reply = httpd.get("/");
//   EXPECT_EQ(reply.status, 200);
//
// Everything it does not expect fails the test when the server stops: see Httpd::stop().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/http_client.h"
#include "harness/httpd_config.h"
#include "harness/process.h"
#include "harness/raw_connection.h"
#include "harness/temp_dir.h"
#include "harness/wait.h"

namespace pyhost::test {

// Who starts httpd.
enum class Starter {
  tester,         // whoever runs the test: root, as a rule
  ordinary_user,  // www-data, or whoever runs the test when that is not root
};

struct Options {
  Mpm mpm = default_mpm();
  // Children at the start. Without it: one, or four for prefork, which adds up to eight as needed.
  std::optional<int> processes;
  int threads = 16;  // of each child; not for prefork
  // How many children of before restarts may live on beside the new ones.
  int processes_left = 8;
  // Loads mod_http2, which needs a threaded MPM.
  bool http2 = false;
  // A second port with TLS, for the main server's own configuration.
  bool tls = false;
  // Written below the root before httpd starts: relative path and text.
  std::vector<std::pair<std::string, std::string>> files;
  // Added to httpd's otherwise empty environment.
  Environment environment;
  WsgiModule wsgi_module = WsgiModule::loaded;
  Place place = default_place();
  Starter starter = Starter::tester;
};

// Whether a restart waits for the children of before.
enum class OldChildren { awaited, left };

// The identity of ordinary processes on this machine, and of httpd's children in tests.
inline constexpr char kServerUser[] = "www-data";

// What a httpd that is not to stay said and how it ended.
struct ConfigCheck {
  int exit_code = -1;  // -1: ended by a signal, or not in time
  std::string output;  // stdout, stderr and, if there is one, the error log

  bool ok() const noexcept { return exit_code == 0; }
};

// Runs `httpd -t` with a test's configuration.
ConfigCheck check_config(std::string_view config, const Options& options = {});

// Starts httpd with a configuration that -t accepts but the start does not.
ConfigCheck start_in_vain(std::string_view config, const Options& options = {});

class HttpdRoot;

// A server of its own root and ports. get() and request() may be called from any thread, each call
// over a connection of its own; all the rest from the test's thread.
class Httpd {
 public:
  // Returns when the server is up. Otherwise the test fails with what httpd said, and every
  // request gets no reply. `config` goes in server scope; see render_base_config() for the
  // names it can use.
  explicit Httpd(std::string_view config, const Options& options = {});
  Httpd(const Httpd&) = delete;
  Httpd& operator=(const Httpd&) = delete;
  ~Httpd();

  Response get(std::string path) const;
  Response request(const Request& request) const;
  // A client that keeps its connection.
  HttpClient client() const { return HttpClient(endpoint()); }
  RawConnection connect() const { return RawConnection(port()); }

  int port() const noexcept { return endpoint().port; }
  const Endpoint& endpoint() const noexcept;
  const std::string& root() const noexcept;

  // Writes a file below the root, readable by httpd's children. Returns its whole path.
  std::string write_file(std::string_view relative, std::string_view text) const;
  // Makes a folder below the root that httpd's children can write to. Returns its whole path.
  std::string make_writable(std::string_view relative) const;
  // The path of a file or folder of tests/apps in the copy that httpd's children can read.
  std::string app(std::string_view name) const { return root() + "/apps/" + std::string(name); }

  // The error log so far.
  std::string log() const;
  // Waits until the error log contains the text; fails the test when it does not come.
  void wait_for_log(std::string_view text) const;
  // Declares a text, such as a message's id, that must occur in the error log and whose lines the
  // audit lets pass.
  void expect_log(std::string text) { expected_log_.push_back(std::move(text)); }
  // The same for what depends on the machine's speed and so need not occur.
  void tolerate_log(std::string text) { tolerated_log_.push_back(std::move(text)); }

  pid_t pid() const noexcept;
  // The processes that httpd has started, of all generations that still live.
  std::vector<pid_t> children() const;
  // The processes that run this program, "pyhost-worker" or "pyhost-supervisor".
  std::vector<pid_t> running(std::string_view program) const;

  // Restarts, and returns when the new configuration is in force and the children of before are
  // gone, which requires that their requests end, or are left to that. Fails the test when the
  // parent has more open descriptors than after the start.
  void graceful(OldChildren old = OldChildren::awaited);
  // The same without waiting for requests: they are cut off.
  void restart(OldChildren old = OldChildren::awaited);

  // Ends httpd's parent with SIGKILL. Its children live on, as it is with httpd, until stop().
  void crash();

  // Ends httpd with SIGTERM and audits: the exit code is 0, no process that it has started is left,
  // and audit_error_log() has no complaint. After crash() only the log is audited. The destructor
  // calls it.
  void stop();

 private:
  void restart_by(int signal, OldChildren old);
  void audit_descriptors() const;
  void audit_log();

  std::unique_ptr<HttpdRoot> root_;
  std::unique_ptr<Process> process_;
  std::vector<std::string> expected_log_;
  std::vector<std::string> tolerated_log_;
  std::size_t descriptors_at_start_ = 0;
  bool crashed_ = false;
};

}  // namespace pyhost::test
