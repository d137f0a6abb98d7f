#include "harness/httpd.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>

#include "harness/error_log.h"
#include "harness/httpd_root.h"
#include "harness/tcp_table.h"

namespace pyhost::test {
namespace {

// Every MPM says so after each (re)start, in the parent, when the configuration is in force.
constexpr std::string_view kUp = "resuming normal operations";

std::size_t count(std::string_view text, std::string_view needle) {
  std::size_t times = 0;
  for (auto at = text.find(needle); at != text.npos; at = text.find(needle, at + 1)) ++times;
  return times;
}

// The event MPM can crash by itself when it is stopped while a thread is about to file a connection
// away, so what is ending gets the time to end. A connection that a test keeps open stays.
void let_connections_end(const Endpoint& endpoint) {
  constexpr std::chrono::milliseconds kPause{500};
  (void)wait_until(
      [&] {
        return !has_connections(endpoint.port) &&
               (endpoint.tls_port == 0 || !has_connections(endpoint.tls_port));
      },
      kPause);
}

bool any_lives(const std::vector<pid_t>& pids, const std::vector<pid_t>& living) {
  return std::ranges::any_of(
      pids, [&](pid_t pid) { return std::ranges::find(living, pid) != living.end(); });
}

}  // namespace

ConfigCheck check_config(std::string_view config, const Options& options) {
  const HttpdRoot root(config, options);
  return root.run_to_end({"-t"});
}

ConfigCheck start_in_vain(std::string_view config, const Options& options) {
  const HttpdRoot root(config, options);
  return root.run_to_end({"-DFOREGROUND"});
}

Httpd::Httpd(std::string_view config, const Options& options)
    : root_(std::make_unique<HttpdRoot>(config, options)),
      process_(root_->spawn({"-DFOREGROUND"})) {
  const bool settled =
      wait_until([this] { return count(log(), kUp) > 0 || process_->poll_status(); });
  if (settled && !process_->poll_status()) {
    descriptors_at_start_ = descriptors_of(process_->pid()).size();
    return;
  }
  const auto status = process_->poll_status();
  ADD_FAILURE() << "httpd did not start: "
                << (status ? describe_status(*status) : "it is not up in time") << '\n'
                << root_->output();
  process_.reset();
}

Httpd::~Httpd() {
  stop();
}

const Endpoint& Httpd::endpoint() const noexcept {
  return root_->endpoint();
}

const std::string& Httpd::root() const noexcept {
  return root_->path();
}

Response Httpd::get(std::string path) const {
  return request({.path = std::move(path)});
}

Response Httpd::request(const Request& request) const {
  return HttpClient(endpoint()).request(request);
}

std::string Httpd::write_file(std::string_view relative, std::string_view text) const {
  return root_->folder().write(relative, text);
}

std::string Httpd::make_writable(std::string_view relative) const {
  return root_->folder().make_writable(relative);
}

std::string Httpd::log() const {
  return root_->error_log();
}

void Httpd::wait_for_log(std::string_view text) const {
  if (!wait_until([&] { return log().find(text) != std::string::npos; })) {
    ADD_FAILURE() << '"' << text << "\" does not come in the error log:\n" << log();
  }
}

pid_t Httpd::pid() const noexcept {
  return process_ ? process_->pid() : -1;
}

std::vector<pid_t> Httpd::children() const {
  return process_ ? process_->others_in_group() : std::vector<pid_t>();
}

std::vector<pid_t> Httpd::running(std::string_view program) const {
  std::vector<pid_t> pids = root_->processes();
  std::erase_if(pids, [&](pid_t pid) { return program_of(pid) != program; });
  return pids;
}

void Httpd::graceful(OldChildren old) {
  restart_by(SIGUSR1, old);
}

void Httpd::restart(OldChildren old) {
  restart_by(SIGHUP, old);
}

void Httpd::restart_by(int signal, OldChildren old) {
  ASSERT_NE(process_, nullptr) << "httpd does not run";
  const auto times_up = count(log(), kUp);
  const std::vector<pid_t> before = children();
  process_->signal(signal);
  EXPECT_TRUE(wait_until([&] { return count(log(), kUp) > times_up; }))
      << "httpd does not come back:\n"
      << log();
  EXPECT_TRUE(old == OldChildren::left ||
              wait_until([&] { return !any_lives(before, children()); }))
      << "children of before the restart still live:\n"
      << log();
  audit_descriptors();
}

void Httpd::audit_descriptors() const {
  std::vector<std::string> open;
  const auto at_baseline = [&] {
    open = descriptors_of(process_->pid());
    return open.size() <= descriptors_at_start_;
  };
  EXPECT_TRUE(wait_until(at_baseline))
      << "httpd's parent had " << descriptors_at_start_ << " descriptors open, and has now\n"
      << fmt::format("{}", fmt::join(open, "\n"));
}

void Httpd::crash() {
  ASSERT_NE(process_, nullptr) << "httpd does not run";
  process_->signal(SIGKILL);
  crashed_ = process_->wait_status().has_value();
  EXPECT_TRUE(crashed_) << "httpd's parent survives SIGKILL";
}

void Httpd::stop() {
  if (!process_) return;
  if (crashed_) {
    process_.reset();
    audit_log();
    return;
  }
  const std::unique_ptr<Process> process = std::move(process_);
  let_connections_end(endpoint());
  process->signal(SIGTERM);
  const auto status = process->wait_status();
  EXPECT_EQ(status, 0) << "httpd: "
                       << (status ? describe_status(*status) : "does not end after SIGTERM");

  std::vector<pid_t> left;
  const bool alone = wait_until([&] { return (left = root_->processes()).empty(); });
  for (const pid_t pid : left) {
    EXPECT_TRUE(alone) << "left over: " << pid << ' ' << command_line_of(pid);
  }
  audit_log();
}

void Httpd::audit_log() {
  // The event MPM closes its pollset while a worker still hands it a connection that lingers.
  tolerate_log("AH03092: process_lingering_close");
  // The machine has an older OpenSSL than the one that mod_ssl was built with.
  tolerate_log("AH01882");
  // A child that has not ended after three seconds is told again; only one that has to be killed
  // (AH00046) is at fault.
  tolerate_log("AH00045");
  for (const std::string& complaint : audit_error_log(log(), expected_log_, tolerated_log_)) {
    ADD_FAILURE() << complaint;
  }
  if (testing::Test::HasFailure()) std::fprintf(stderr, "error log:\n%s", log().c_str());
}

}  // namespace pyhost::test
