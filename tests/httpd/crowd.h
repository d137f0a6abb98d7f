// Many clients of one server at the same time.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "harness/httpd.h"

namespace pyhost::test {

// Clients that keep sending requests for tests/apps/labour.wsgi, each with an identity in its
// query, a header and its body, until they are sent home. Every reply must be whole and its own,
// or a failure that failures() lists.
class Crowd {
 public:
  static constexpr int kEndless = -1;

  Crowd(const Httpd& httpd, int clients, int requests_of_each = kEndless);
  // Sends the clients home.
  ~Crowd() { finish(); }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // Waits for the requests that are under way; endless ones end with the next reply.
  void finish();
  // Waits until all of them have sent their requests.
  void wait();

  int answered() const noexcept { return answered_; }
  // After finish() or wait(). The replies that are none of the application's.
  const std::vector<Response>& failures() const noexcept { return failures_; }

 private:
  void work(const Httpd& httpd, int client, int requests);
  void judge(const Response& reply, const std::string& id, const std::string& body);

  std::atomic<bool> over_ = false;
  std::atomic<int> answered_ = 0;
  std::mutex mutex_;
  std::vector<Response> failures_;
  std::vector<std::jthread> clients_;
};

}  // namespace pyhost::test
