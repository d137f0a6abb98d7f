// Clients of slow networks.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "harness/http_client.h"

namespace pyhost::test {

// What one of them does: a reply of /large of tests/apps/patience.wsgi, or a body for /sum of
// tests/apps/uploads.wsgi.
struct SlowTransfer {
  enum class Way { upload, download };

  Way way = Way::download;
  std::size_t bytes = 0;
  std::size_t bytes_per_second = 0;
  Protocol protocol = Protocol::http11;
};

// Clients that are at work at the same time, all in one thread of their own.
class SlowClients {
 public:
  SlowClients(const Endpoint& endpoint, std::vector<SlowTransfer> transfers);
  ~SlowClients();
  SlowClients(const SlowClients&) = delete;
  SlowClients& operator=(const SlowClients&) = delete;

  // Waits until a part of every body or reply has been sent or received.
  bool all_have_begun() const;
  // From now on they are as fast as the server, and are waited for.
  void finish();

  // After finish(). What went wrong, one line for each client; empty when all got what they should.
  const std::vector<std::string>& failures() const noexcept { return failures_; }

 private:
  class Client;

  void work();
  void hurry();

  std::vector<std::unique_ptr<Client>> clients_;
  std::atomic<std::size_t> begun_ = 0;
  std::atomic<bool> hurry_ = false;
  std::vector<std::string> failures_;
  std::jthread thread_;
};

}  // namespace pyhost::test
