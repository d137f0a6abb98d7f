// The thread that relays the WebSockets of a child for which httpd has none.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "apache/httpd_api.h"
#include "apache/websocket/suspended_socket.h"
#include "base/clock.h"
#include "base/thread.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::apache {

// One epoll set has all of them, and one that is silent costs nothing but its place in there.
class RelayThread {
 public:
  // How long a child that is to end at once still relays, so that workers can say goodbye.
  static constexpr std::chrono::milliseconds kLastMoment{500};

  // Fails when the system refuses what it needs.
  static base::Result<std::unique_ptr<RelayThread>> start();
  RelayThread(const RelayThread&) = delete;
  RelayThread& operator=(const RelayThread&) = delete;
  // Tells all workers that httpd ends. What is open behind kLastMoment is left to the end of the
  // process.
  ~RelayThread();

  // --- From any thread ---
  void adopt(std::unique_ptr<SuspendedSocket> socket);
  // A connection that httpd has closed its side of: frees it when the client has, too.
  void linger(conn_rec* c);
  // The child is to end: the workers close the sockets, those too that come from here on.
  void leave(gateway::Leaving leaving);

 private:
  struct Member;
  // One descriptor of a member in the set.
  struct Watch {
    Member* member = nullptr;
    int fd = -1;
    std::uint32_t events = 0;
  };
  struct Member {
    std::unique_ptr<SuspendedSocket> socket;
    conn_rec* lingering_or_null = nullptr;  // without a socket
    base::TimePoint lingers_until{};
    Watch client;
    Watch worker;
    std::size_t place = 0;  // in members_
    bool is_ready = false;
    bool is_watched = false;  // the client's leaving shows
  };
  using Members = std::vector<std::unique_ptr<Member>>;

  RelayThread() = default;
  base::Result<> open();
  void wake() noexcept;
  void enter(std::unique_ptr<Member> member);

  // --- Its own ---
  void run();
  void take_new_ones();
  void wait();
  void set_ready(Member& member);
  void advance_ready();
  void advance(Member& member, base::TimePoint now);
  void end_settled(base::TimePoint now);
  void advance_lingering(Member& member, base::TimePoint now);
  void look_at_all(base::TimePoint now);
  void tell_to_leave(Member& member, base::TimePoint now);
  void watch(Watch& watch, std::uint32_t events) noexcept;
  std::unique_ptr<Member> remove(Member& member);

  base::UniqueFd epoll_;
  base::UniqueFd wakes_;
  base::NamedThread thread_;
  std::mutex mutex_;
  Members new_;  // guarded by it, as these two:
  std::optional<gateway::Leaving> leaving_;
  std::optional<base::TimePoint> stops_at_;
  // The thread's own:
  Members members_;
  std::vector<Member*> ready_;
  std::vector<std::unique_ptr<SuspendedSocket>> ended_;  // about to be given to httpd
  std::optional<gateway::Leaving> told_;
  std::optional<base::TimePoint> ends_at_;
  base::TimePoint next_look_{};
};

}  // namespace pyhost::apache
