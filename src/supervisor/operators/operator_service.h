// Carries out what operators ask for.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/operator_request.h"
#include "control/status_answer.h"
#include "metrics/group_figures.h"
#include "supervisor/group/worker_group.h"
#include "supervisor/operators/operator_socket.h"
#include "supervisor/operators/work_inquiry.h"

namespace pyhost::supervisor {

// Single-threaded, in the thread of the loop. The loop, the groups and the log outlive it.
class OperatorService {
 public:
  OperatorService(os::EventLoop& loop, std::list<WorkerGroup>& groups, base::LogSink& log) noexcept
      : loop_(loop), groups_(groups), log_(log) {}

  // Listens at that path from now on, to guests too; a failure is logged once, and it is tried
  // again every second.
  void listen(const std::string& path, os::SocketGuests guests);
  // Listens no more, and lets go whoever waits.
  void close() noexcept;

  // What build_info says.
  void note_build(std::string httpd_version, std::vector<std::string> pythons);
  // Why httpd's last configuration was refused; "" when it was accepted.
  void note_refusal(std::string why);

  // Answers commands that are through; to be called after the groups have advanced.
  void advance(base::TimePoint now);
  std::optional<base::TimePoint> next_deadline() const noexcept;

 private:
  using Command = control::OperatorRequest::Command;

  // A command that is under way.
  struct Pending {
    OperatorSocket::PeerId peer;
    Command command;
    std::string group;
    unsigned failed_starts;  // of the group when the command came
  };

  void open();
  void heed(OperatorSocket::PeerId peer, OperatorSocket::Rights rights, const std::string& line);
  void show(OperatorSocket::PeerId peer, const std::string& name);
  void inquire(OperatorSocket::PeerId peer, WorkerGroup& group);
  metrics::Figures figures_of(const std::string& name) const;
  std::string reset_metrics(WorkerGroup& group) const;
  // The answer when it can be given at once.
  std::optional<std::string> begin(const control::OperatorRequest& request, WorkerGroup& group);
  // The answer when the command is through.
  std::optional<std::string> outcome(const Pending& pending);
  WorkerGroup* find(const std::string& name) noexcept;
  std::string unknown(const std::string& name) const;

  os::EventLoop& loop_;
  std::list<WorkerGroup>& groups_;
  base::LogSink& log_;
  std::string path_;
  os::SocketGuests guests_;
  std::unique_ptr<OperatorSocket> socket_;
  unsigned failures_ = 0;  // to open it, in a row
  std::optional<base::TimePoint> open_again_at_;
  std::vector<Pending> pending_;
  std::map<OperatorSocket::PeerId, WorkInquiry> inquiries_;
  std::optional<control::StatusAnswer::Refusal> refusal_;
  std::string httpd_version_;
  std::vector<std::string> pythons_;
};

}  // namespace pyhost::supervisor
