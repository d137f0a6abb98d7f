#include "apache/process/error_logs.h"

#include <apr_portable.h>
#include <apr_thread_proc.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "apache/pool.h"
#include "os/unix_socket.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::apache {
namespace {

constexpr char kLogger[] = "/usr/bin/logger";
constexpr char kSyslogSocket[] = "/dev/log";
constexpr std::string_view kSyslog = "syslog";
constexpr std::string_view kDefaultFacility = "local7";  // as httpd has it
constexpr std::string_view kDefaultTag = "httpd";

// What follows "syslog" and its colon, if the server logs there.
std::optional<std::string_view> syslog_target_of(const server_rec* server) {
  std::string_view name = view_or_empty(server->error_fname);
  const bool is_syslog = strncasecmp(name.data(), kSyslog.data(), kSyslog.size()) == 0;
  if (server->error_log != nullptr || name.size() < kSyslog.size() || !is_syslog) {
    return std::nullopt;
  }
  name.remove_prefix(kSyslog.size());
  if (!name.empty() && name.front() != ':') return std::nullopt;
  return name.substr(name.empty() ? 0 : 1);
}

// A logger without one would end at once.
bool is_there_a_syslog() noexcept {
  const base::UniqueFd peer(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto address = os::UnixAddress::of(kSyslogSocket);
  return ::access(kLogger, X_OK) == 0 && address && address->connect(peer.get());
}

// Restarts leave it running, so that nothing is lost that workers of before have said.
struct Logger {
  char* target;
  int input;
};

apr_array_header_t* loggers_of(apr_pool_t* process_pool) {
  constexpr char kKey[] = "pyhost_loggers";
  void* known = nullptr;
  apr_pool_userdata_get(&known, kKey, process_pool);
  if (known == nullptr) {
    known = apr_array_make(process_pool, 1, sizeof(Logger));
    // The key is copied: the module is loaded anew at restarts.
    apr_pool_userdata_set(known, kKey, nullptr, process_pool);
  }
  return static_cast<apr_array_header_t*>(known);
}

// Whether it still reads.
bool is_running(const Logger& logger) noexcept {
  pollfd state{.fd = logger.input, .events = 0, .revents = 0};
  return ::poll(&state, 1, 0) == 0;
}

// The standard input of a new one; -1 when there can be none. It ends with the last that writes.
int start_logger(apr_pool_t* pool, std::string_view target) {
  const std::size_t colon = std::min(target.find(':'), target.size());
  const std::string_view facility = target.substr(0, colon);
  const std::string_view tag = target.substr(std::min(colon + 1, target.size()));
  const std::string priority =
      fmt::format("{}.notice", facility.empty() ? kDefaultFacility : facility);
  const std::string own_tag(tag.empty() ? kDefaultTag : tag);
  const std::array<const char*, 6> arguments{kLogger,         "-p",   priority.c_str(), "-t",
                                             own_tag.c_str(), nullptr};
  apr_procattr_t* how = nullptr;
  auto* process = static_cast<apr_proc_t*>(apr_pcalloc(pool, sizeof(apr_proc_t)));
  const bool started =
      apr_procattr_create(&how, pool) == APR_SUCCESS &&
      apr_procattr_io_set(how, APR_FULL_BLOCK, APR_NO_PIPE, APR_NO_PIPE) == APR_SUCCESS &&
      apr_procattr_cmdtype_set(how, APR_PROGRAM) == APR_SUCCESS &&
      apr_proc_create(process, kLogger, arguments.data(), nullptr, how, pool) == APR_SUCCESS;
  apr_os_file_t input = -1;
  if (started) apr_os_file_get(&input, process->in);
  return input;
}

}  // namespace

int ErrorLogs::own_descriptor_of(const server_rec* server) {
  if (const auto target = syslog_target_of(server)) return logger_for(*target);
  apr_os_file_t fd = -1;
  const bool is_file =
      server->error_log != nullptr && apr_os_file_get(&fd, server->error_log) == APR_SUCCESS;
  return is_file ? fd : -1;
}

int ErrorLogs::descriptor_of(const server_rec* server) {
  for (const server_rec* candidate : {server, static_cast<const server_rec*>(main_server_)}) {
    if (const int own = own_descriptor_of(candidate); own >= 0) return own;
  }
  return STDERR_FILENO;
}

std::optional<std::string> ErrorLogs::problem_of(const server_rec* server) {
  if (own_descriptor_of(server) >= 0) return std::nullopt;
  const bool main_has_one = own_descriptor_of(main_server_) >= 0;
  return fmt::format(
      "goes to {}, because {}", main_has_one ? "the main server's log" : "httpd's stderr",
      syslog_target_of(server) ? fmt::format("ErrorLog {} needs {} and somebody who listens at {}",
                                             server->error_fname, kLogger, kSyslogSocket)
                               : fmt::format("ErrorLog {} is neither a file, a pipe nor syslog",
                                             view_or_empty(server->error_fname)));
}

int ErrorLogs::logger_for(std::string_view target) {
  apr_pool_t* pool = main_server_->process->pool;
  apr_array_header_t* loggers = loggers_of(pool);
  Logger* found = nullptr;
  for (int i = 0; i < loggers->nelts && found == nullptr; ++i) {
    Logger& logger = APR_ARRAY_IDX(loggers, i, Logger);
    if (logger.target == target) found = &logger;
  }
  if (found != nullptr && is_running(*found)) return found->input;
  const int input = is_there_a_syslog() ? start_logger(pool, target) : -1;
  if (input < 0) return -1;
  if (found == nullptr) {
    found = &APR_ARRAY_PUSH(loggers, Logger);
    found->target = apr_pstrmemdup(pool, target.data(), target.size());
  } else {
    ::close(found->input);
  }
  found->input = input;
  return input;
}

}  // namespace pyhost::apache
