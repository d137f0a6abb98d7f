#include "launch/start_step.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace pyhost::launch {
namespace {

std::string describe(StartStep step, const WorkerPlan& plan) {
  switch (step) {
    case StartStep::descriptors:
      return "the worker's descriptors could not be set up";
    case StartStep::limits:
      return "a resource limit could not be set";
    case StartStep::priority:
      return fmt::format("cpu-priority={} could not be set", plan.cpu_priority);
    case StartStep::oom_score:
      return fmt::format("oom-score-adjust={} could not be set", plan.oom_score_adjust.value_or(0));
    case StartStep::chroot:
      return fmt::format("chroot={} could not be entered", plan.chroot);
    case StartStep::set_group:
      return fmt::format("group id {} could not be taken", plan.credentials.gid);
    case StartStep::set_groups:
      return "the supplementary groups could not be set";
    case StartStep::set_user:
      return fmt::format("user id {} could not be taken", plan.credentials.uid);
    case StartStep::verify_ids:
      return "the ids are not what was set";
    case StartStep::prove_no_return:
      return "the worker could become root again";
    case StartStep::supervisor_gone:
      return "pyhost-supervisor has gone";
    case StartStep::working_directory:
      return fmt::format("home={} cannot be entered by user id {}", plan.working_directory,
                         plan.credentials.uid);
    case StartStep::program:
      break;
  }
  return plan.chroot.empty()
             ? fmt::format("{} cannot be run", plan.program)
             : fmt::format("{} cannot be run below chroot={}", plan.program, plan.chroot);
}

}  // namespace

StepFailures describe_step_failures(const WorkerPlan& plan) {
  StepFailures failures;
  for (std::size_t i = 0; i < kStartSteps; ++i) {
    const auto sentence = fmt::format("WSGIDaemonProcess {}: {}: ", plan.group_name,
                                      describe(static_cast<StartStep>(i), plan));
    // A JSON text ends with the quote; the reason follows before it.
    std::string quoted =
        nlohmann::json(sentence).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    quoted.pop_back();
    failures[i] = "{\"failed\":" + quoted;
  }
  return failures;
}

}  // namespace pyhost::launch
