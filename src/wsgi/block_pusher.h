// Threads that send what applications make faster than it is worth sending.
#pragma once

#include <condition_variable>
#include <mutex>

namespace pyhost::wsgi {

// Blocks of a reply that come in quick succession are kept, so that one pass through httpd, or one
// wake-up of its child, takes many. What is kept leaves within a few milliseconds whatever the
// application does meanwhile, for one of these threads sends it (PEP 3333, buffering and streaming:
// "use a different thread"). One for all requests of a process; a client that takes nothing keeps a
// thread, and no other reply. They know nothing of Python.
class BlockPusher {
 public:
  // What has something to be sent.
  class Source {
   public:
    // Sends it, and may take long. False when somebody else is about to: then it is asked again.
    virtual bool push() noexcept = 0;

   protected:
    ~Source() = default;

   private:
    friend BlockPusher;

    enum class Stage { absent, listed, pushed, pushed_and_listed };
    Stage stage_ = Stage::absent;
    Source* next_ = nullptr;  // while it is listed
  };

  BlockPusher() = default;
  BlockPusher(const BlockPusher&) = delete;
  BlockPusher& operator=(const BlockPusher&) = delete;

  // Has it pushed in a moment. Any thread; never waits. False when there is no thread to do it.
  bool watch(Source& source) noexcept;
  // It is not, and will not be, pushed when this returns, which may take as long as a push.
  void forget(Source& source) noexcept;

 private:
  // First in, first out.
  class List {
   public:
    bool empty() const noexcept { return first_ == nullptr; }
    void add(Source& source) noexcept;
    Source& take() noexcept;
    void remove(Source& source) noexcept;
    void add_all(List& others) noexcept;

   private:
    Source* first_ = nullptr;
    Source* last_ = nullptr;
  };

  using Lock = std::unique_lock<std::mutex>;

  bool start_thread() noexcept;
  void run() noexcept;
  bool await_turn(Lock& lock) noexcept;
  void await_tick(Lock& lock) noexcept;
  void push_ready(Lock& lock) noexcept;

  std::mutex mutex_;
  std::condition_variable wakes_, settled_, turn_;
  // Guarded by mutex_:
  List listed_;  // since the last tick
  List ready_;
  unsigned threads_ = 0;
  unsigned spares_ = 0;  // of them, which wait for their turn
  // One thread looks at a time; a spare one takes over when that is busy with a push.
  bool looks_ = false;
  bool sleeps_ = false;  // the one that looks, until something is listed
};

}  // namespace pyhost::wsgi
