// Many clients of one server at the same time.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "harness/httpd.h"

namespace pyhost::test {

// What the clients of a Crowd do.
struct CrowdPlan {
  static constexpr int kEndless = -1;

  int clients = 1;
  int requests_of_each = kEndless;
  // Otherwise every request has a connection of its own.
  bool keep_connections = true;
  // What each request works for; without it 5 to 20 ms.
  std::string seconds;
  // Begins the identities, so that those of two crowds differ.
  std::string name = "crowd";
};

// The reply to a request that should have got a better one.
struct FailedReply : Response {
  std::string id;  // of the request
};

// Clients that keep sending requests for tests/apps/labour.wsgi, each with an identity in its
// query, a header and its body, until they are sent home. Every reply must be whole and its own,
// or a failure that failures() lists. A kept connection that httpd has closed before any reply is
// what a browser tries again: so do they, once. After a 503 they wait as long as Retry-After says.
class Crowd {
 public:
  Crowd(const Httpd& httpd, CrowdPlan plan);
  // Sends the clients home.
  ~Crowd() { finish(); }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // Waits for the requests that are under way; endless ones end with the next reply.
  void finish();
  // Waits until all of them have sent their requests.
  void wait();
  // Waits for so many more replies; fails the test when they do not come.
  void go_on(int replies) const;

  int answered() const noexcept { return answered_; }
  int tried_again() const noexcept { return tried_again_; }
  // The longest time from a request to the application's reply, and to a 503.
  std::chrono::milliseconds slowest_reply() const noexcept { return slowest_reply_.load(); }
  std::chrono::milliseconds slowest_refusal() const noexcept { return slowest_refusal_.load(); }
  // After finish() or wait(). The replies that are none of the application's.
  const std::vector<FailedReply>& failures() const noexcept { return failures_; }

 private:
  void work(const Httpd& httpd, int client);
  Response ask(const Httpd& httpd, HttpClient& connection, const Request& request);
  void judge(const Response& reply, const std::string& id, const std::string& body);
  void heed(const Response& reply, std::chrono::milliseconds time);

  const CrowdPlan plan_;
  std::stop_source over_;
  std::atomic<int> answered_ = 0;
  std::atomic<int> tried_again_ = 0;
  std::atomic<std::chrono::milliseconds> slowest_reply_{};
  std::atomic<std::chrono::milliseconds> slowest_refusal_{};
  std::mutex mutex_;
  std::vector<FailedReply> failures_;
  std::vector<std::jthread> clients_;
};

}  // namespace pyhost::test
