// What an application has made of a body and has not left yet.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "wsgi/block_pusher.h"

namespace pyhost::wsgi {

// Keeps the blocks of a reply that come in quick succession; see BlockPusher. Nothing here waits,
// so it may be used with the interpreter's lock held. Any thread.
class KeptBlocks {
 public:
  KeptBlocks(BlockPusher& pusher, BlockPusher::Source& source) noexcept
      : pusher_(pusher), source_(source) {}
  KeptBlocks(const KeptBlocks&) = delete;
  KeptBlocks& operator=(const KeptBlocks&) = delete;

  // Takes a copy of a block, which is pushed in a moment. False when it is to be sent instead: it
  // comes too late behind what has left, or is large, or would complete the body.
  bool keep(std::string_view block) noexcept;

  // Everything that is kept, in exchange for `blocks`, which is empty.
  void take(std::string& blocks) noexcept;
  // Something has left just now. The body has room for so many bytes behind what was taken: nothing
  // is kept that reaches that. 0: nothing is to be kept any more.
  void note_sent(std::uint64_t room) noexcept;

  static constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

  // Nothing is pushed any more when this returns, which may take as long as a push.
  void end() noexcept;

 private:
  BlockPusher& pusher_;
  BlockPusher::Source& source_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::string blocks_;
  std::uint64_t room_ = 0;  // behind blocks_
  base::TimePoint sent_at_{};
  bool watched_ = false;  // until it is taken
  bool was_watched_ = false;
};

}  // namespace pyhost::wsgi
