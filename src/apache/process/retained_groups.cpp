#include "apache/process/retained_groups.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "apache/process/kept_descriptor.h"

namespace pyhost::apache {
namespace {

bool is_used(const RetainedGroup& group) {
  auto board = scoreboard::Scoreboard::map(group.board, group.reports);
  return board && board->has_children();
}

}  // namespace

apr_array_header_t* RetainedGroups::make_table(apr_pool_t* process_pool) {
  return apr_array_make(process_pool, 4, sizeof(RetainedGroup));
}

void RetainedGroups::begin() {
  int kept = 0;
  for (int i = 0; i < table_->nelts; ++i) {
    RetainedGroup& group = at(i);
    group.wanted = 0;
    if (group.running == 0 && !is_used(group)) {
      ::close(group.board);
      ::close(group.reports);
    } else {
      at(kept++) = group;
    }
  }
  table_->nelts = kept;
}

RetainedGroup* RetainedGroups::find_or_null(const std::string& identity) const noexcept {
  for (int i = 0; i < table_->nelts; ++i) {
    if (std::string_view(at(i).identity) == identity) return &at(i);
  }
  return nullptr;
}

base::Result<RetainedGroup*> RetainedGroups::make(const std::string& name,
                                                  const std::string& identity,
                                                  const scoreboard::BoardSize& size) {
  PH_TRY(files, scoreboard::make_board_files(size));
  PH_TRY(secret, gateway::GroupSecret::make());
  RetainedGroup group{.name = apr_pstrdup(table_->pool, name.c_str()),
                      .identity = apr_pstrdup(table_->pool, identity.c_str()),
                      .index = next_index_++,
                      .board = keep_out_of_the_way(std::move(files.board)),
                      .reports = keep_out_of_the_way(std::move(files.reports))};
  std::ranges::copy(secret.bytes(), group.secret_bytes);
  APR_ARRAY_PUSH(table_, RetainedGroup) = group;
  return &at(table_->nelts - 1);
}

base::Result<RetainedGroup> RetainedGroups::want(const std::string& name,
                                                 const std::string& identity, uid_t worker_uid,
                                                 const scoreboard::BoardSize& size) {
  RetainedGroup* group = find_or_null(identity);
  if (group != nullptr) {
    PH_TRY(has_room, scoreboard::grow_board(group->board, group->reports, size.slots));
    // One of another name, so that nobody finds it again.
    if (!has_room) {
      group->identity = "";
      group = nullptr;
    }
  }
  if (group == nullptr) {
    PH_TRY(made, make(name, identity, size));
    group = made;
  }
  group->worker_uid = worker_uid;
  group->wanted = 1;
  return *group;
}

void RetainedGroups::accept() noexcept {
  for (int i = 0; i < table_->nelts; ++i) at(i).running = at(i).wanted;
}

}  // namespace pyhost::apache
