// The memory of application metrics of every process group, as httpd's parent keeps it over
// restarts.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "apache/httpd_api.h"
#include "appmetrics/memory.h"

namespace pyhost::apache {

// One per generation of the configuration, used by the parent's only thread; the files outlive it,
// in memory that httpd keeps. A child inherits what is mapped, and closes the descriptors. What
// fails is logged, and then nothing is kept of what the group measures.
class MetricsMemories {
 public:
  explicit MetricsMemories(server_rec* main_server);
  MetricsMemories(const MetricsMemories&) = delete;
  MetricsMemories& operator=(const MetricsMemories&) = delete;
  // In a child what is mapped stays so: Python's threads may write to it until the process ends.
  ~MetricsMemories();

  // Before the groups of a configuration: none is wanted.
  void begin() noexcept;
  // The file of the group, which is mapped from now on; -1 when there is none. Another one of
  // before, if that has not the shape. Those of one identity are the same over restarts.
  int want(const std::string& group, const std::string& identity, const appmetrics::Shape& shape);
  // The files that are not wanted go; who has mapped them keeps what it sees.
  void forget_others() noexcept;
  // They stay, and are mapped: the configuration is refused, and the groups of before go on.
  void keep_others();

  // Of httpd's own processes that is "".
  const appmetrics::Memory* memory_or_null(std::string_view group) const noexcept;
  // A child of httpd has ended.
  void forget_child(pid_t pid) noexcept;
  // Closes the descriptors, in a process that the parent has forked off.
  void close_in_fork() noexcept;

 private:
  base::Result<int> find_or_make(const std::string& group, const std::string& identity,
                                 const appmetrics::Shape& shape);

  server_rec* const main_server_;
  const pid_t parent_;
  apr_array_header_t* const files_;
  using Mapped = std::map<std::string, appmetrics::Memory, std::less<>>;  // by the group's name
  std::unique_ptr<Mapped> mapped_ = std::make_unique<Mapped>();
};

}  // namespace pyhost::apache
