// What is known of one script, and what follows from that for a request. No Python, no files, no
// clock, no lock of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "pyhost/base/file_identity.h"
#include "pyhost/gateway/engine.h"

namespace pyhost::python {

// Not synchronised.
class ScriptState {
 public:
  // What a request wants.
  struct Wanted {
    base::FileIdentity file;  // of the script, as it is now
    bool reloading = true;    // a changed script is imported again
    // Files that have changed up to then, microseconds since the epoch, count as unchanged.
    std::int64_t accepted_until_us = 0;
  };

  // What is to be done for it.
  enum class Step {
    import,    // now; it counts as under way until imported() or failed()
    wait,      // for the import that is under way, and then ask again
    reuse,     // the module that is there
    ask,       // the module's reload_required(): reuse it, or say so to reload()
    look,      // whether the file has_changed(): the process is outdated then; otherwise settle
    settle,    // for what the one import has come to
    back_off,  // the import has failed a moment ago, and nothing has changed
    outdated,  // the process is to be replaced
  };

  // The next step for a request. A step that is `import` has begun.
  Step next(gateway::ChangedScripts changed, const Wanted& wanted, base::TimePoint now);
  // After `ask`, when the answer was yes. `import_number` is that of the module that was asked;
  // next() has to be called again, for `wait`, when another one has come meanwhile.
  Step reload(gateway::ChangedScripts changed, std::uint64_t import_number);

  // After `look`: whether the file, which is that and has last changed then, is another one than
  // was imported, and counts as such.
  bool has_changed(const base::FileIdentity& file, std::int64_t changed_us,
                   std::int64_t accepted_until_us);

  // How the import of that file ended. `asks` is whether the module has a reload_required().
  void imported(const Wanted& wanted, bool asks, std::int64_t now_us);
  // Gives what the first failure of several of this file was, if that was another one.
  std::string failed(const Wanted& wanted, const std::string& summary, base::TimePoint now);

  bool importing() const noexcept { return importing_; }
  bool has_module() const noexcept { return import_number_ != 0; }
  // Tells one module from the next; 0 when there is none.
  std::uint64_t import_number() const noexcept { return import_number_; }
  // "ValueError: text", of the import that has failed; nothing when the last one did not.
  const std::string* failure_or_null() const noexcept {
    return failure_ ? &failure_->summary : nullptr;
  }

 private:
  struct Failure {
    std::string summary;
    base::FileIdentity file;  // that failed
    base::TimePoint retry_at;
    std::chrono::seconds pause;
  };

  bool is_unchanged(const base::FileIdentity& file) const noexcept {
    return file == file_ || accepted_file_ == file;
  }
  bool is_to_be_asked(gateway::ChangedScripts changed, const Wanted& wanted) noexcept;
  Step begin_import() noexcept;

  bool importing_ = false;
  std::uint64_t imports_ = 0;        // that were successful, ever
  std::uint64_t import_number_ = 0;  // of the module that is there
  base::FileIdentity file_;          // that was imported, or could not be
  // One whose difference does not count, and the moment up to which it did not.
  std::optional<base::FileIdentity> accepted_file_;
  std::int64_t accepted_until_us_ = 0;
  std::optional<Failure> failure_;
  bool asks_ = false;             // the module has a reload_required()
  bool used_ = false;             // by a request since its import
  std::int64_t imported_us_ = 0;  // since the epoch
};

}  // namespace pyhost::python
