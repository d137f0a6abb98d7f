// Lets Python objects reach a request only while it lives.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

namespace pyhost::python {

// Python objects that an application may keep (wsgi.input, start_response, ...) outlive their
// request and may be used on any thread. They hold a link and use their pointer into the request
// only inside a Use; closing the link waits for the uses that are under way. Thread-safe.
class RequestLink {
 public:
  class Use {
   public:
    explicit Use(RequestLink& link) noexcept : link_(link.enter() ? &link : nullptr) {}
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() {
      if (link_ != nullptr) link_->leave();
    }
    // False when the request is over.
    explicit operator bool() const noexcept { return link_ != nullptr; }

   private:
    RequestLink* link_;
  };

  // The request is over: no use begins any more. Returns whether some are still under way; then
  // wait_for_uses() must be called before the request goes.
  [[nodiscard]] bool close() noexcept {
    const std::lock_guard lock(mutex_);
    open_ = false;
    return uses_ != 0;
  }

  // PRECONDITION: closed, and the caller is not attached to an interpreter.
  void wait_for_uses() noexcept {
    std::unique_lock lock(mutex_);
    unused_.wait(lock, [this] { return uses_ == 0; });
  }

 private:
  bool enter() noexcept {
    const std::lock_guard lock(mutex_);
    if (open_) ++uses_;
    return open_;
  }

  void leave() noexcept {
    const std::lock_guard lock(mutex_);
    if (--uses_ == 0 && !open_) unused_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable unused_;
  bool open_ = true;
  int uses_ = 0;
};

// Co-owned by the request and by every Python object made for it.
using SharedRequestLink = std::shared_ptr<RequestLink>;

}  // namespace pyhost::python
