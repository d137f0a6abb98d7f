// httpd's scoreboard, for those in its processes who know nothing of httpd.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pyhost::gateway {

// As httpd has it, texts and all: another process of httpd may be writing meanwhile. Moments are in
// microseconds since the epoch, 0 for never.
struct ServerThread {
  int number = 0;
  int generation = 0;
  char status = '.';  // as mod_status shows it
  std::uint64_t access_count = 0;
  std::uint64_t bytes_served = 0;
  std::int64_t start_us = 0;  // of the last request
  std::int64_t stop_us = 0;
  std::int64_t last_used_us = 0;
  std::string client;
  std::string request;  // its first line, as far as httpd keeps it
  std::string vhost;
};

struct ServerProcess {
  int number = 0;
  int pid = 0;  // 0: the place is free
  int generation = 0;
  bool quiescing = false;
  std::vector<ServerThread> threads;
};

struct ServerBoard {
  int server_limit = 0;
  int thread_limit = 0;
  int generation = 0;
  std::int64_t restart_us = 0;
  std::vector<ServerProcess> processes;
};

// Thread-safe; outlives the engine.
class ServerView {
 public:
  virtual ~ServerView() = default;
  // Nothing where httpd keeps none.
  virtual std::optional<ServerBoard> look() const = 0;
};

}  // namespace pyhost::gateway
