// Starts a worker: everything between the decision and the first instruction of pyhost-worker.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "launch/credentials.h"
#include "launch/start_inputs.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::launch {

struct ResourceLimit {
  int resource;  // RLIMIT_...
  rlim_t soft;
  rlim_t hard;

  bool operator==(const ResourceLimit&) const = default;
};

// How the workers of a group are started; the same for all of them.
struct WorkerPlan {
  std::string group_name;
  std::string program;       // absolute, as seen inside `chroot`
  std::string display_name;  // argv[0]
  std::vector<std::string> environment;
  Credentials credentials;
  std::vector<ResourceLimit> limits;
  int cpu_priority = 0;
  std::optional<int> oom_score_adjust;
  std::string chroot;             // "" for none
  std::string working_directory;  // "" to stay
  // Whether a working directory that cannot be entered ends the start; otherwise / takes its place.
  bool working_directory_required = false;
  std::optional<unsigned> umask;

  bool operator==(const WorkerPlan&) const = default;
};

// What a plan becomes for a group on this system, but for the environment. Fails with a sentence
// that names the group.
base::Result<WorkerPlan> plan_worker(const settings::ProcessGroup& group,
                                     control::HttpdIdentity httpd, std::string program);

// Descriptors that a worker inherits; they stay the caller's.
struct WorkerDescriptors {
  int log;  // for stdout and stderr
  int listen;
  int settings;
  int board;         // for reading
  int reports;       // for writing
  int metrics = -1;  // the same; -1: none
};

struct WorkerProcess {
  pid_t pid = 0;
  base::UniqueFd pidfd;   // readable when the worker has ended
  base::UniqueFd status;  // non-blocking; lines of JSON, see control/worker_report.h
};

// Starts a worker. What fails before the program runs is reported over the status socket, like what
// the program itself reports, and the worker exits with code 1. PRECONDITION: the process has one
// thread; the worker is told to end (SIGTERM) when it dies.
base::Result<WorkerProcess> start_worker(const WorkerPlan& plan,
                                         const WorkerDescriptors& inherited);

// What a rehearsal does: read files alone, or also everything that start_worker() does except
// running the program.
enum class Rehearse { files, start };

// Begins a rehearsal in a process of its own, because a filesystem of the group's user may hold it
// up. It says over the status socket, in one line, what it has read: see start_inputs.h; the files
// are looked at with the rights of the worker, but not in its chroot. Where that or a step of the
// start fails it says the sentence in the same way and exits with code 1, otherwise with 0.
base::Result<WorkerProcess> start_rehearsal(const WorkerPlan& plan, const InputFiles& files,
                                            Rehearse extent);

}  // namespace pyhost::launch
