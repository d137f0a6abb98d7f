// The parts of the support module's source (support.h); they share its names.
#pragma once

namespace pyhost::python {

extern const char kAdviceSource[];
extern const char kHooksSource[];
extern const char kProcessesSource[];
extern const char kScriptsSource[];

}  // namespace pyhost::python
