// Looks which files there are for a list of globs, a little at a time.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/path_glob.h"
#include "lookout/folder_watches.h"
#include "pyhost/base/file_identity.h"

namespace pyhost::lookout {

// A folder that is watched.
struct WatchedFolder {
  std::string path;  // one of those that lead to it
  std::vector<base::PathGlob::Segment> interests;

  // Whether something of that name in it may lead to a file of a glob.
  bool concerns(std::string_view name, bool is_folder) const;
};

// Of one scan: what is looked at, and what is watched. Each entry of a folder counts, and each
// component of the target of a link.
struct ScanLimits {
  unsigned entries_max = 50'000;
  unsigned folders_max = 4'096;
};

// What a scan has found so far.
struct Findings {
  std::map<std::string, base::FileIdentity> files;  // by path
  std::unordered_map<int, WatchedFolder> folders;   // by their number of os::Inotify
  std::string problem;                              // why not everything is watched; "" when it is
};

// Every folder that leads to a file is watched before it is read, so that no change is missed:
// also those above the first pattern, and those where the symbolic links on the way lie. Symbolic
// links are followed, except to folders in the place of **. Not synchronised.
class PathScan {
 public:
  // Globs and watches outlive it. Folders are watched for `owner`.
  PathScan(const std::vector<base::PathGlob>& globs, FolderWatches& watches,
           FolderWatches::Owner owner, ScanLimits limits);

  // Goes on for so many entries at most. Whether that was the rest.
  bool step(unsigned entries_max);

  const Findings& found() const noexcept { return found_; }
  Findings take_found() noexcept { return std::move(found_); }

 private:
  using Segments = std::vector<base::PathGlob::Segment>;

  // What is still to be done: find the rest of a glob in a folder.
  struct Visit {
    std::string folder;
    const Segments& segments;
    std::size_t index;  // of the segment that stands for the folder's entries
  };
  // A link that is being followed, one component at a time.
  struct Walk {
    Visit visit;                    // that the link was met in
    std::string path;               // of the link, for what comes behind
    std::string at;                 // where it has come to; without links, "." and ".."
    std::vector<std::string> rest;  // the components still to come, the next one last
    unsigned links_left;
  };
  // A folder that is being read.
  struct Listing {
    Visit visit;
    std::filesystem::directory_iterator entries;
  };

  void begin(Visit visit);
  void read_entry();
  void visit_entry(const Visit& visit, const std::string& name);
  void go_on(const Visit& visit, std::string path);
  void walk();
  static void turn_off(Walk& walk, const std::string& target);
  void identify(const std::string& path);
  bool watch(const std::string& folder, const base::PathGlob::Segment& interest);
  void note_problem(std::string problem);

  FolderWatches& watches_;
  const FolderWatches::Owner owner_;
  const ScanLimits limits_;
  std::vector<Visit> visits_;
  std::optional<Listing> listing_;
  std::optional<Walk> walk_;
  std::unordered_map<std::string, std::string> targets_;  // of paths that were walked; "": no link
  unsigned entries_ = 0;
  Findings found_;
};

}  // namespace pyhost::lookout
