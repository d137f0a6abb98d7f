// Where applications run that serve many exchanges with one thread.
#pragma once

#include <functional>
#include <tl/expected.hpp>

#include "pyhost/gateway/caller.h"
#include "pyhost/gateway/channel.h"
#include "pyhost/gateway/leaving.h"
#include "pyhost/gateway/outcome.h"
#include "pyhost/gateway/target.h"

namespace pyhost::gateway {

// One thread that runs exchanges; lives as long as its engine.
class ChannelLoop {
 public:
  // From now on it pumps that source; once. Any thread, and returns at once. The source outlives
  // the loop's end.
  virtual void serve(ChannelSource& source) noexcept = 0;
  // Whether it was given one.
  virtual bool serves() const noexcept = 0;
  // The worker takes no more requests and is to end: the loop closes its WebSockets, and those that
  // are opened from now on. In time for a restart, each at a moment of its own, so that their
  // clients do not all come back at once; behind Leaving::stop, all of them now. Any thread, and
  // returns at once. A later call may hurry.
  virtual void drain(Leaving why) noexcept = 0;

 protected:
  ~ChannelLoop() = default;
};

// Of an engine, whose stop() cancels what runs in them, has applications do what they do at their
// end, and ends them. Any thread that has a Python-sized stack; none is attached to an interpreter.
class ChannelLoops {
 public:
  // The loop that is to have the channels of this target, once its application is ready there:
  // imported, and what it does at its start is done. Null when Runner::run() is to run it. Blocks;
  // failures are logged to the caller. The error is `refused` or `outdated`, as of Runner::run().
  virtual tl::expected<ChannelLoop*, Outcome> place(const Target& target,
                                                    Caller& caller) noexcept = 0;

  // Has `told` called, on a loop's thread, when the lifespan of an application that was to serve
  // has ended by itself: what it has set up at its start may be gone. Before the first place().
  virtual void on_lifespan_lost(std::function<void()> told) = 0;

 protected:
  ~ChannelLoops() = default;
};

}  // namespace pyhost::gateway
