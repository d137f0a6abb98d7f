// The event loop of one interpreter.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "asgi/deadlines.h"
#include "asgi/exchange.h"
#include "asgi/lifespan.h"
#include "asgi/loop_parts.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"
#include "pyhost/gateway/channel_loops.h"
#include "pyhost/gateway/event_loops.h"
#include "python/script_loader.h"
#include "python/starvation_watch.h"

namespace pyhost::asgi {

// Runs asyncio on the interpreter's main thread, from the first application that needs it to the
// end, and in it what comes over one source of channels, which is one reader of it, whatever the
// number of channels. What is posted to the main thread meanwhile is done between two turns of the
// loop. Lives as long as its interpreter.
class EventLoop final : public gateway::ChannelLoop, private ExchangeHost {
 public:
  // All of it outlives the loop.
  struct Inputs {
    python::Interpreter& interpreter;
    python::LogStreams& streams;
    python::RequestRegister& requests;
    python::ScriptLoader& scripts;
    python::StarvationWatch& starvation_watch;
    gateway::EventLoops settings;
    gateway::Logging logging;
    // Called by the loop's thread, not attached.
    std::function<void()> on_lifespan_lost;
  };
  // Does not run yet.
  explicit EventLoop(const Inputs& inputs) : inputs_(inputs) {}
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Python's number of its thread; nothing before it runs. Attached.
  std::optional<unsigned long> thread(python::Attached&) const noexcept {
    return parts_ ? std::optional(parts_->thread) : std::nullopt;
  }

  // The stacks of tasks that wait, as text; null with an exception pending. Attached.
  python::Ref task_stacks(python::Attached& py) const;

  // --- Any thread; not attached ---

  // An application that it is to serve.
  struct Candidate {
    std::uint64_t script;  // script_key() of the target
    std::string callable;
    std::string name;  // for the log
    gateway::Protocol protocol;
    python::Ref application;
  };
  // Returns when the loop runs, and the application has done what it does at its start, or has
  // failed. One that is there is not started again.
  base::Result<> get_ready(Candidate candidate);

  // Whether that application is ready, or has been.
  bool has(std::uint64_t script, const std::string& callable) const;

  void serve(gateway::ChannelSource& source) noexcept override;
  bool serves() const noexcept override;
  void drain(gateway::Leaving why) noexcept override;

  bool is_running() const;
  // Asks it to turn. Since when an earlier question waits for that; nothing when none does. Returns
  // at once. PRECONDITION: it has run.
  std::optional<base::TimePoint> probe() noexcept;

  // Cancels the exchange of that caller, if it runs since before `moment`. Compared, not used.
  void interrupt(const gateway::Caller& caller, base::TimePoint moment);

  // Cancels what runs, has applications end, and then the loop.
  void begin_stop();
  // Waits until that is done, or for the deadline, behind which what is posted to the main thread
  // waits for the loop's end.
  void finish_stop(base::TimePoint deadline);

 private:
  enum class State { unstarted, starting, running, failed, ended };
  enum class Phase { serving, cancelling, lifespans, ending };

  // Whoever waits for an application to be ready. Co-owned by the one who waits and by the entry.
  struct Gate {
    std::mutex mutex;
    std::condition_variable opened;
    std::optional<base::Result<>> result;  // guarded by mutex

    void open(base::Result<> own_result);
  };
  struct Application {
    Candidate candidate;
    python::Ref state;  // a dictionary; null where there are no lifespans
    std::shared_ptr<Lifespan> lifespan;
    std::vector<std::shared_ptr<Gate>> gates;
    bool loss_told = false;
  };
  struct Running {
    Running(std::shared_ptr<Exchange> own_exchange, python::StarvationWatch& watch)
        : exchange(std::move(own_exchange)), in_flight(std::in_place, watch) {}

    const std::shared_ptr<Exchange> exchange;
    std::optional<python::StarvationWatch::InFlight> in_flight;  // nothing where it may be idle
  };
  enum class Due { head, gone_client, moment };
  struct Deadline {
    std::weak_ptr<Exchange> exchange;
    Due due;
  };

  base::Result<> start();
  void wake() const noexcept;
  void become(State state, std::string failure = {});
  void post(std::function<void(python::Attached&)> task);

  // On the loop's thread, attached:
  void run(python::Attached& py);
  base::Result<> set_up(python::Attached& py);
  // Has kReady called when the descriptor can be read.
  template <void (EventLoop::*kReady)(python::Attached&)>
  base::Result<> add_reader(python::Attached& py, int fd);
  base::Result<> run_forever(python::Attached& py);
  void tear_down(python::Attached& py);
  template <void (EventLoop::*kReady)(python::Attached&)>
  static PyObject* ready(PyObject* capsule, PyObject*);
  void run_posted(python::Attached& py);
  void pump(python::Attached& py);
  void act(python::Attached& py, const gateway::ChannelEvent& event);
  bool begin(python::Attached& py, gateway::Channel& channel);
  static bool refuse_offer(python::Attached& py, gateway::Channel& channel);
  std::shared_ptr<Exchange> make_exchange(gateway::Channel& channel);
  base::TimePoint moment_to_leave(gateway::Leaving why);
  void leave_all(python::Attached& py, gateway::Leaving why);
  void do_what_is_due(python::Attached& py);
  void add(python::Attached& py, Candidate candidate, std::shared_ptr<Gate> gate);
  Application* find(std::uint64_t script, std::string_view callable) noexcept;
  void start_application(python::Attached& py, Application& application);
  static bool may_serve(const Application& application) noexcept;
  void lifespans_changed(python::Attached& py);
  void cancel_all(python::Attached& py);
  void end_lifespans(python::Attached& py);
  void advance(python::Attached& py);
  void end_loop(python::Attached& py);

  // ExchangeHost
  void hold_head(Exchange& exchange) override;
  void expect_end(Exchange& exchange) override;
  void has_become_stream(Exchange& exchange) override;
  void call_at(Exchange& exchange, base::TimePoint moment) override;
  void exchange_over(python::Attached& py, Exchange& exchange) override;

  const Inputs inputs_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::unstarted;  // guarded by mutex_, as the next three
  std::string failure_;
  bool serves_ = false;
  std::set<std::pair<std::uint64_t, std::string>> ready_;  // scripts and callables, of all times
  std::atomic<bool> given_up_ = false;                     // its end was not waited for
  std::atomic<base::Clock::rep> asked_at_ = 0;  // by probe(), and has not turned since; 0: has

  // Of the loop's thread, and protected by the interpreter's lock:
  base::UniqueFd wake_event_;
  Deadlines<Deadline> deadlines_;
  std::optional<Names> names_;
  std::optional<LoopParts> parts_;
  gateway::ChannelSource* source_or_null_ = nullptr;
  std::vector<std::unique_ptr<Application>> applications_;
  std::vector<std::shared_ptr<Lifespan>> replaced_;  // of scripts that were imported anew since
  std::unordered_map<const Exchange*, Running> exchanges_;
  std::optional<gateway::Leaving> leaving_;  // the loop is drained
  std::minstd_rand random_{std::random_device{}()};
  Phase phase_ = Phase::serving;
};

}  // namespace pyhost::asgi
