// What httpd's parent keeps of each process group over restarts: its number, its scoreboard and its
// secret.
#pragma once

#include <cstdint>
#include <string>

#include "apache/httpd_api.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/group_secret.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::apache {

// One group, in memory that httpd keeps. A group of the same name whose workers run as somebody
// else, or whose sockets lie elsewhere, is another group: children of before go on with the old
// one.
struct RetainedGroup {
  const char* name;
  const char* identity;
  std::uint32_t index;  // in the paths of its sockets; never used again
  int board;            // these two are close-on-exec
  int reports;
  uid_t worker_uid;
  int wanted;   // by the present configuration
  int running;  // the supervisor has it
  char secret_bytes[gateway::GroupSecret::kBytes];

  gateway::GroupSecret secret() const noexcept {
    return *gateway::GroupSecret::of_bytes({secret_bytes, sizeof secret_bytes});
  }
};

// All of them. Used by the parent's only thread; the children inherit the descriptors and close
// them.
class RetainedGroups {
 public:
  // Makes the table in memory of the process's pool, where the caller keeps its address.
  static apr_array_header_t* make_table(apr_pool_t* process_pool);
  RetainedGroups(apr_array_header_t* table, std::uint32_t& next_index) noexcept
      : table_(table), next_index_(next_index) {}

  // Before the groups of a new configuration: none is wanted, and what nobody uses any more goes.
  void begin();
  // The group is wanted, and has room for so many workers.
  base::Result<RetainedGroup> want(const std::string& name, const std::string& identity,
                                   uid_t worker_uid, const scoreboard::BoardSize& size);
  // The supervisor has taken what is wanted.
  void accept() noexcept;

  template <class Visitor>
  void for_each(Visitor visit) const {
    for (int i = 0; i < table_->nelts; ++i) visit(at(i));
  }

 private:
  RetainedGroup& at(int i) const noexcept { return APR_ARRAY_IDX(table_, i, RetainedGroup); }
  RetainedGroup* find_or_null(const std::string& identity) const noexcept;
  base::Result<RetainedGroup*> make(const std::string& name, const std::string& identity,
                                    const scoreboard::BoardSize& size);

  apr_array_header_t* table_;
  std::uint32_t& next_index_;
};

}  // namespace pyhost::apache
