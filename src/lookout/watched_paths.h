// Notices when files change.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/debounce.h"
#include "lookout/path_scan.h"

namespace pyhost::lookout {

// A file that is different, and when the burst of changes that it belongs to has ended, at the
// latest.
struct FileChange {
  std::string path;
  base::TimePoint at{};
  // Which file it is now, when it is the only one that is different and was there before; else
  // kNoFile.
  base::FileIdentity file{};
};

// The files of a list of globs. The kernel says when to look; what has changed is what looks
// different then, so lost or superfluous messages do no harm. Not synchronised.
class WatchedPaths {
 public:
  // What advance() looks at before it lets others have their turn.
  static constexpr unsigned kEntriesPerTurn = 500;

  // advance() is what looks. What was changed before `since_us` (since the epoch) counts as
  // unchanged, and what was changed between then and the first look as a change. The watches
  // outlive it; it is the owner of its own.
  WatchedPaths(FolderWatches& watches, std::vector<base::PathGlob> globs, std::int64_t since_us,
               ScanLimits limits = {});
  WatchedPaths(const WatchedPaths&) = delete;
  WatchedPaths& operator=(const WatchedPaths&) = delete;
  ~WatchedPaths() { watches_.remove_all(this); }

  // Something has happened in a folder.
  void heed(const FolderWatches::Event& event, base::TimePoint now);

  // Does what is due; never waits. When a burst of changes is over and something is different: one
  // of the files that are.
  std::optional<FileChange> advance(base::TimePoint now);
  std::optional<base::TimePoint> next_deadline() const noexcept;

  // Why not everything is watched, as of the last look; "" when it is.
  const std::string& problem() const noexcept { return last_.problem; }

 private:
  bool concerns(const FolderWatches::Event& event) const;
  const WatchedFolder* find(int folder) const noexcept;
  std::optional<FileChange> finish_scan(base::TimePoint now);
  void note_changes_before_first_look(base::TimePoint now);

  FolderWatches& watches_;
  const std::vector<base::PathGlob> globs_;
  const ScanLimits limits_;
  base::Debounce settling_;
  std::optional<PathScan> scan_;
  Findings last_;  // of the scans that are complete
  const std::int64_t since_us_;
  bool looked_ = false;
  std::optional<std::string> changed_meanwhile_;  // during the first look
};

}  // namespace pyhost::lookout
