#include "lookout/path_scan.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace pyhost::lookout {
namespace {

namespace fs = std::filesystem;

using Segment = base::PathGlob::Segment;
using Kind = Segment::Kind;

// Longer chains of links lead nowhere: the kernel does not follow them either.
constexpr unsigned kLinksMax = 40;

std::string joined(const std::string& folder, std::string_view name) {
  return fmt::format("{}{}{}", folder, folder.ends_with('/') ? "" : "/", name);
}

// Nothing that is to be followed when it is no link.
std::string target_of(const std::string& path) {
  std::error_code no_link;
  return fs::read_symlink(path, no_link).string();
}

}  // namespace

bool WatchedFolder::concerns(std::string_view name, bool is_folder) const {
  return std::ranges::any_of(interests, [&](const Segment& interest) {
    return interest.matches(name) && (is_folder || interest.kind != Kind::any_depth);
  });
}

PathScan::PathScan(const std::vector<base::PathGlob>& globs, FolderWatches& watches,
                   FolderWatches::Owner owner, ScanLimits limits)
    : watches_(watches), owner_(owner), limits_(limits) {
  for (const base::PathGlob& glob : globs) visits_.push_back({"/", glob.segments(), 0});
}

bool PathScan::step(unsigned entries_max) {
  const unsigned stop = std::min(entries_ + entries_max, limits_.entries_max);
  while (entries_ < stop && (walk_ || listing_ || !visits_.empty())) {
    ++entries_;
    if (walk_) {
      walk();
    } else if (listing_) {
      read_entry();
    } else {
      Visit visit = std::move(visits_.back());
      visits_.pop_back();
      begin(std::move(visit));
    }
  }
  if (!walk_ && !listing_ && visits_.empty()) return true;
  if (entries_ < limits_.entries_max) return false;
  note_problem(
      fmt::format("there are more than {} files and folders to look at", limits_.entries_max));
  return true;
}

void PathScan::begin(Visit visit) {
  const Segment& segment = visit.segments[visit.index];
  const bool watched = watch(visit.folder, segment);
  if (segment.kind == Kind::name) {
    visit_entry(visit, segment.text);
    return;
  }
  if (!watched) return;
  std::error_code error;
  fs::directory_iterator entries(visit.folder, error);
  if (error) return;
  // The folder itself is one of those that ** stands for.
  if (segment.kind == Kind::any_depth) {
    visits_.push_back({visit.folder, visit.segments, visit.index + 1});
  }
  listing_.emplace(std::move(visit), std::move(entries));
}

void PathScan::read_entry() {
  auto& [visit, entries] = *listing_;
  if (entries == fs::directory_iterator()) {
    listing_.reset();
    return;
  }
  const std::string name = entries->path().filename().string();
  const Segment& segment = visit.segments[visit.index];
  std::error_code gone;
  if (!segment.matches(name)) {
    // Nothing is here.
  } else if (segment.kind == Kind::pattern) {
    visit_entry(visit, name);
  } else if (!entries->is_symlink(gone) && entries->is_directory(gone)) {
    visits_.push_back({joined(visit.folder, name), visit.segments, visit.index});
  }
  entries.increment(gone);
  if (gone) listing_.reset();
}

void PathScan::visit_entry(const Visit& visit, const std::string& name) {
  std::string path = joined(visit.folder, name);
  const std::string target = target_of(path);
  if (target.empty()) return go_on(visit, std::move(path));
  walk_.emplace(Walk{.visit = visit,
                     .path = std::move(path),
                     .at = visit.folder,
                     .rest = {},
                     .links_left = kLinksMax});
  turn_off(*walk_, target);
}

// What lies at the path, now that everything on the way to it is watched.
void PathScan::go_on(const Visit& visit, std::string path) {
  if (visit.index + 1 == visit.segments.size()) {
    identify(path);
  } else {
    visits_.push_back({std::move(path), visit.segments, visit.index + 1});
  }
}

// To where a link leads.
void PathScan::turn_off(Walk& walk, const std::string& target) {
  if (target.starts_with('/')) walk.at.assign(1, '/');
  const fs::path relative = fs::path(target).relative_path();
  std::vector<std::string> components;
  for (const fs::path& component : relative) components.push_back(component.string());
  walk.rest.insert(walk.rest.end(), components.rbegin(), components.rend());
}

// Watches where the target of a link lies, and what else leads there. A path that was met in this
// scan is watched already, so links that lead to and fro cost little.
void PathScan::walk() {
  if (walk_->rest.empty()) {
    const Walk done = *std::exchange(walk_, std::nullopt);
    return go_on(done.visit, done.path);
  }
  const std::string name = std::move(walk_->rest.back());
  walk_->rest.pop_back();
  if (name.empty() || name == ".") return;
  if (name == "..") {
    walk_->at = fs::path(walk_->at).parent_path();
    return;
  }
  std::string next = joined(walk_->at, name);
  const auto [known, is_new] = targets_.try_emplace(next);
  if (is_new) {
    watch(walk_->at, {Kind::name, name});
    known->second = target_of(next);
  }
  if (known->second.empty()) {
    walk_->at = std::move(next);
  } else if (--walk_->links_left == 0) {
    walk_->rest.clear();
  } else {
    turn_off(*walk_, known->second);
  }
}

void PathScan::identify(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return;
  // What is in a folder does not count, only which one it is.
  found_.files[path] = S_ISDIR(file.st_mode)
                           ? base::FileIdentity{.device = file.st_dev, .inode = file.st_ino}
                           : base::identity_of(file);
}

bool PathScan::watch(const std::string& path, const Segment& interest) {
  const int id = watches_.add(owner_, path);
  if (id < 0) {
    // What is not there is noticed where it is missing.
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
      note_problem(fmt::format(
          "{} cannot be watched: {}", path,
          errno == ENOSPC ? "the system allows no more (sysctl fs.inotify.max_user_watches)"
                          : std::strerror(errno)));
    }
    return false;
  }
  const auto known = found_.folders.find(id);
  if (known == found_.folders.end() && found_.folders.size() >= limits_.folders_max) {
    watches_.remove(owner_, id);
    note_problem(fmt::format("there are more than {} folders to watch", limits_.folders_max));
    return false;
  }
  WatchedFolder& folder = known == found_.folders.end()
                              ? found_.folders.emplace(id, WatchedFolder{path, {}}).first->second
                              : known->second;
  if (std::ranges::find(folder.interests, interest) == folder.interests.end()) {
    folder.interests.push_back(interest);
  }
  return true;
}

void PathScan::note_problem(std::string problem) {
  if (found_.problem.empty()) found_.problem = std::move(problem);
}

}  // namespace pyhost::lookout
