#include "apache/check/path_findings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <map>
#include <set>

#include "apache/config/process_groups.h"
#include "apache/config/worker_config.h"
#include "apache/pool.h"
#include "launch/rehearsals.h"

namespace pyhost::apache {
namespace {

using base::Message;
using launch::PathLook;

// What is to be told when a look is refused.
struct Purpose {
  const server_rec* server;
  Message message;
  std::string subject;  // the line, or the option of it
  const char* place;
};

// All that is to be looked at as one user.
struct Visit {
  launch::WorkerPlan plan;
  std::string user;
  std::vector<PathLook> looks{};
  std::vector<Purpose> purposes{};

  void add(PathLook look, Purpose purpose) {
    looks.push_back(std::move(look));
    purposes.push_back(std::move(purpose));
  }
};

class Visits {
 public:
  explicit Visits(const server_rec* main_server, Findings& findings)
      : main_server_(main_server), findings_(findings) {}

  void add(const Application& application);
  void add(const NamedScript& script);
  void add_python_paths();
  void make();

 private:
  // That of a group's user, or of httpd's children; null when nobody here can become that user.
  Visit* visit_of(const DaemonGroup* group);
  void judge(const Visit& visit, const base::Result<launch::StartInputs>& outcome);

  const server_rec* main_server_;
  Findings& findings_;
  std::map<const DaemonGroup*, Visit> visits_;
};

// A path that the workers of a group see, as it is outside of their root.
std::string outside_jail(const DaemonGroup& group, const std::string& path) {
  return group.options.chroot + path;
}

Visit* Visits::visit_of(const DaemonGroup* group) {
  const auto known = visits_.find(group);
  if (known != visits_.end()) return &known->second;
  const settings::ProcessGroup options =
      group == nullptr ? settings::ProcessGroup() : group->options;
  if (!launch::options_for_root(options).empty()) {
    findings_.add(
        main_server_, Severity::advice, Message::check_incomplete,
        {.sentence = "files that other users are to read were not looked at: only root can "
                     "become them",
         .cure = "run the check as root"},
        nullptr);
    return nullptr;
  }
  auto plan = launch::plan_worker(options, httpd_identity(), "");
  if (!plan) return nullptr;
  return &visits_.emplace(group, Visit{.plan = *std::move(plan), .user = user_of(group)})
              .first->second;
}

void Visits::add(const Application& application) {
  const ScriptAlias& alias = *application.alias;
  if (!names_one_script(alias) || application.depends_on_request()) return;
  const Purpose purpose{.server = application.server,
                        .message = Message::script_out_of_reach,
                        .subject = alias.written,
                        .place = alias.place};
  const std::string path(alias.target);
  if (Visit* visit = visit_of(application.group)) {
    visit->add({.path = path, .need = PathLook::Need::read}, purpose);
  }
  // It is httpd's children who say whether a script is there.
  if (Visit* visit = application.is_embedded() ? nullptr : visit_of(nullptr)) {
    visit->add({.path = path, .need = PathLook::Need::seen}, purpose);
  }
}

void Visits::add(const NamedScript& script) {
  if (script.kind != gateway::TargetKind::file || script.depends_on_request) return;
  if (!script.group_name.empty() && script.group == nullptr) return;
  if (Visit* visit = visit_of(script.group)) {
    visit->add({.path = std::string(script.script), .need = PathLook::Need::read},
               {.server = script.server,
                .message = Message::script_out_of_reach,
                .subject = std::string(script.written),
                .place = script.place});
  }
}

void Visits::add_python_paths() {
  for (const DaemonGroup* group : all_process_groups()) {
    Visit* visit = visit_of(group);
    if (visit == nullptr) continue;
    for (const std::string& folder : group->options.python_path) {
      visit->add({.path = outside_jail(*group, folder), .need = PathLook::Need::folder},
                 {.server = group->server,
                  .message = Message::python_path_out_of_reach,
                  .subject = fmt::format("WSGIDaemonProcess {}: python-path=", group->options.name),
                  .place = group->place});
    }
  }
  const auto& folders = process_settings().python_path;
  Visit* visit = folders ? visit_of(nullptr) : nullptr;
  if (visit == nullptr) return;
  const auto place = server_config(main_server_).places.find("WSGIPythonPath");
  for (const std::string_view folder : *folders) {
    visit->add({.path = std::string(folder), .need = PathLook::Need::folder},
               {.server = main_server_,
                .message = Message::python_path_out_of_reach,
                .subject = "WSGIPythonPath",
                .place = place->second});
  }
}

std::string cure_of(std::string_view refusal, std::string_view user) {
  constexpr std::string_view kClosed = " is closed", kFolder = "the folder ";
  if (refusal.starts_with(kFolder) && refusal.ends_with(kClosed)) {
    refusal.remove_prefix(kFolder.size());
    refusal.remove_suffix(kClosed.size());
    return fmt::format("let that user in: setfacl -m u:{}:x {}", user, refusal);
  }
  if (refusal.ends_with("may not be read")) return "let that user read it";
  return "mend the path, or make what is missing";
}

void Visits::judge(const Visit& visit, const base::Result<launch::StartInputs>& outcome) {
  if (!outcome || outcome->refusals.size() != visit.looks.size()) {
    return findings_.add(main_server_, Severity::warning, Message::check_incomplete,
                         {fmt::format("the files of user {} were not looked at: {}", visit.user,
                                      outcome ? "too little was said" : outcome.error().sentence)},
                         nullptr);
  }
  for (std::size_t i = 0; i < visit.looks.size(); ++i) {
    const std::string& refusal = outcome->refusals[i];
    if (refusal.empty()) continue;
    const Purpose& purpose = visit.purposes[i];
    findings_.add(
        purpose.server, Severity::warning, purpose.message,
        {.sentence = fmt::format("{}: for user {}, {}", purpose.subject, visit.user, refusal),
         .cure = cure_of(refusal, visit.user)},
        purpose.place);
  }
}

void Visits::make() {
  auto loop = os::EventLoop::create();
  if (!loop) return;
  launch::Rehearsals rehearsals(*loop);
  std::vector<std::pair<const Visit*, std::size_t>> made;
  for (const auto& [group, visit] : visits_) {
    if (visit.looks.empty()) continue;
    made.emplace_back(&visit, rehearsals.add({.plan = visit.plan,
                                              .files = {.looks = visit.looks},
                                              .extent = launch::Rehearse::files}));
  }
  run_to_end(*loop, rehearsals);
  for (const auto& [visit, number] : made) judge(*visit, rehearsals.outcome(number));
}

}  // namespace

void find_paths_out_of_reach(const server_rec* main_server,
                             const std::vector<Application>& applications,
                             const std::vector<NamedScript>& scripts, Findings& findings) {
  Visits visits(main_server, findings);
  for (const Application& application : applications) {
    const bool known = application.is_embedded() || application.group != nullptr;
    if (known) visits.add(application);
  }
  for (const NamedScript& script : scripts) visits.add(script);
  visits.add_python_paths();
  visits.make();
}

}  // namespace pyhost::apache
