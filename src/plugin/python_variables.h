// Environment variables by which Python is told something elsewhere: here it is started isolated.
#pragma once

#include <string>
#include <string_view>

namespace pyhost::plugin {

// Where the configuration has a substitute for a variable.
enum class VariableOf { httpd, process_group };

// What to tell an administrator about a variable of that name that is set: "PYTHONPATH has no
// effect on applications, only on programs that they start; use python-path= instead". "" when it
// has nothing to do with Python, or what it asks for is so anyway; of those that httpd was started
// with, also when there is no substitute: they may be there for others.
std::string notice_of_python_variable(std::string_view name, VariableOf owner);

}  // namespace pyhost::plugin
