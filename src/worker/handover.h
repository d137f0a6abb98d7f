#pragma once

#ifdef __SANITIZE_THREAD__
#include <mutex>
#endif

namespace pyhost::worker {

// Held by the thread that lets go of a connection; the one that gets it next comes by. The kernel
// orders epoll_ctl() before the epoll_wait() that it ends, so there is nothing to do; but
// ThreadSanitizer knows that of EPOLL_CTL_ADD only, not of EPOLL_CTL_MOD, and has to be shown.
class Handover {
 public:
  void come_by() noexcept {
    lock();
    unlock();
  }
#ifdef __SANITIZE_THREAD__
  void lock() noexcept {
    mutex_.lock();
  }
  void unlock() noexcept {
    mutex_.unlock();
  }

 private:
  std::mutex mutex_;
#else
  void lock() noexcept {}
  void unlock() noexcept {}
#endif
};

}  // namespace pyhost::worker
