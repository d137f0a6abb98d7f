#include "apache/check/web_socket_findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "apache/config/process_groups.h"
#include "apache/websocket/child_sockets.h"

namespace pyhost::apache {
namespace {

int mpm_number(int query) {
  int number = 0;
  return ap_mpm_query(query, &number) == APR_SUCCESS ? number : 0;
}

// What all children together hold.
unsigned long sockets_of_httpd(HeldBy held_by, const ChildCapacity& child) {
  const auto children = static_cast<unsigned long>(std::max(mpm_number(AP_MPMQ_MAX_DAEMONS), 1));
  if (mpm_number(AP_MPMQ_IS_THREADED) == 0) return std::max(children / 2, 1ul);
  return children * sockets_max(held_by, child);
}

// Which factor it takes for so many sockets.
unsigned long factor_for(unsigned long sockets, const ChildCapacity& child) {
  const auto children = static_cast<unsigned long>(std::max(mpm_number(AP_MPMQ_MAX_DAEMONS), 1));
  const unsigned long for_each = (sockets + children - 1) / children;
  const unsigned long capacity = (2 * for_each + child.threads - 1) / child.threads;
  return std::max(capacity, 1ul) - 1;
}

Diagnosis diagnose(const DaemonGroup& group, unsigned long wanted, unsigned long held,
                   HeldBy held_by, const ChildCapacity& child) {
  const std::string begin = fmt::format(
      "WSGIDaemonProcess {}: its workers could have {} WebSockets open, and httpd holds "
      "{}",
      group.options.name, wanted, held);
  if (held_by == HeldBy::relay) {
    return {.sentence = fmt::format("{} with AsyncRequestWorkerFactor {}; others are answered 503",
                                    begin, child.async_factor),
            .cure = fmt::format("AsyncRequestWorkerFactor {}", factor_for(wanted, child))};
  }
  return {.sentence = fmt::format("{}: with this MPM each takes a thread or process, of which half "
                                  "may be taken; others are answered 503",
                                  begin),
          .cure = "load mod_mpm_event, under which they take none"};
}

}  // namespace

void find_few_web_sockets(const server_rec*, Findings& findings) {
  const ChildCapacity child = child_capacity();
  const bool is_async = mpm_number(AP_MPMQ_IS_ASYNC) != 0;
  const HeldBy held_by = is_async ? HeldBy::relay : HeldBy::thread;
  const unsigned long held = sockets_of_httpd(held_by, child);
  for (const DaemonGroup* group : all_process_groups()) {
    if (!needs_loop(group->options.interface)) continue;
    const unsigned long wanted =
        static_cast<unsigned long>(worker_count(group->options)) * places_of_worker(group->options);
    if (wanted <= held) continue;
    const bool is_written = group->options.connections != settings::ProcessGroup().connections;
    findings.add(group->server, is_written ? Severity::warning : Severity::advice,
                 base::Message::web_socket_capacity, diagnose(*group, wanted, held, held_by, child),
                 group->place);
  }
}

}  // namespace pyhost::apache
