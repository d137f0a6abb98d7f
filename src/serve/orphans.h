// Processes that come to this one because their parents have ended.
#pragma once

#include <sys/types.h>

#include <string_view>

namespace pyhost::serve {

// From now on whatever is left of httpd's processes, and of the application's, becomes a child of
// this process instead of init's, which it may be itself.
void adopt_orphans() noexcept;

// Whether a child of that process runs that program; of its name the kernel keeps 15 letters.
bool has_child_called(pid_t parent, std::string_view name);

// Ends all children of this process at once. What those have started then becomes its child.
void kill_children();

}  // namespace pyhost::serve
