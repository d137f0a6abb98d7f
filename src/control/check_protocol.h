// How `pyhost` has the module look at a configuration: it runs httpd -t with this.
#pragma once

namespace pyhost::control {

// A name that is defined (-D), and what the environment has besides.
inline constexpr char kCheckDefine[] = "PYHOST_CHECK";
inline constexpr char kCheckDescriptor[] = "PYHOST_CHECK_FD";  // where the report goes
inline constexpr char kCheckedUrl[] = "PYHOST_CHECK_URL";      // to be explained; "/path"
inline constexpr char kCheckedHost[] = "PYHOST_CHECK_HOST";    // of its Host header
inline constexpr char kCheckedPort[] = "PYHOST_CHECK_PORT";    // of httpd

}  // namespace pyhost::control
