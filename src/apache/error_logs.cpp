#include "apache/error_logs.h"

#include <apr_portable.h>
#include <fmt/format.h>
#include <http_log.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "apache/pool.h"
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

// A logger without one would end at once, and httpd start it again and again.
bool is_there_a_syslog() noexcept {
  const base::UniqueFd peer(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::copy(std::begin(kSyslogSocket), std::end(kSyslogSocket), address.sun_path);
  return ::access(kLogger, X_OK) == 0 &&
         ::connect(peer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// One word of a command line; see apr_tokenize_to_argv().
std::string quoted(std::string_view text) {
  std::string word = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') word += '\\';
    word += each;
  }
  return word + '"';
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
  const auto known = loggers_.find(target);
  if (known != loggers_.end()) return known->second;
  int& fd = loggers_[std::string(target)];
  fd = -1;
  if (!is_there_a_syslog()) return fd;
  const std::size_t colon = std::min(target.find(':'), target.size());
  const std::string_view facility = target.substr(0, colon);
  const std::string_view tag = target.substr(std::min(colon + 1, target.size()));
  const std::string command =
      fmt::format("{} -p {} -t {}", kLogger,
                  quoted(fmt::format("{}.notice", facility.empty() ? kDefaultFacility : facility)),
                  quoted(tag.empty() ? kDefaultTag : tag));
  apr_pool_t* pool = main_server_->process->pconf;
  piped_log* logger = ap_open_piped_log_ex(pool, apr_pstrdup(pool, command.c_str()), APR_PROGRAM);
  if (logger != nullptr) apr_os_file_get(&fd, ap_piped_log_write_fd(logger));
  return fd;
}

}  // namespace pyhost::apache
