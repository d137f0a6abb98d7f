#include "wsgi/kept_blocks.h"

#include <algorithm>
#include <chrono>

#include "base/out_of_memory.h"
#include "os/fork_watch.h"

namespace pyhost::wsgi {
namespace {

// A block that comes so soon behind what has left is kept, unless it is large, or too much is.
constexpr std::chrono::milliseconds kQuickSuccession{1};
constexpr std::size_t kBlockBytesMax = 16 * 1024;
constexpr std::size_t kKeptBytesMax = 32 * 1024;

}  // namespace

bool KeptBlocks::keep(std::string_view block) noexcept {
  if (block.size() > kBlockBytesMax || os::ForkWatch::in_forked_process()) return false;
  const std::lock_guard lock(mutex_);
  if (block.size() >= room_ || blocks_.size() + block.size() > kKeptBytesMax) return false;
  if (base::Clock::now() - sent_at_ >= kQuickSuccession) return false;
  if (!watched_ && !pusher_.watch(source_)) return false;
  watched_ = was_watched_ = true;
  const bool has_memory = base::unless_out_of_memory(
      [&] {
        blocks_.append(block);
        return true;
      },
      [] { return false; });
  if (has_memory && room_ != kNoLimit) room_ -= block.size();
  return has_memory;
}

void KeptBlocks::take(std::string& blocks) noexcept {
  const std::lock_guard lock(mutex_);
  blocks.swap(blocks_);
  watched_ = false;
}

void KeptBlocks::note_sent(std::uint64_t room) noexcept {
  const std::lock_guard lock(mutex_);
  room_ = room == kNoLimit ? room : room - std::min<std::uint64_t>(room, blocks_.size());
  sent_at_ = base::Clock::now();
}

void KeptBlocks::end() noexcept {
  bool was_watched = false;
  {
    const std::lock_guard lock(mutex_);
    room_ = 0;
    was_watched = was_watched_;
  }
  if (was_watched) pusher_.forget(source_);
}

}  // namespace pyhost::wsgi
