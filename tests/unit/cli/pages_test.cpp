#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command_page.h"
#include "cli/generated_pages.h"
#include "harness/command.h"
#include "harness/temp_dir.h"

namespace pyhost::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

CommandPage page() {
  return {.name = "bake",
          .summary = "Bake a cake",
          .words = {{.metavar = "CAKE", .help = "Which one"}},
          .options = {{.names = {"-s", "--sugar", "--sweet"},
                       .metavar = "N",
                       .help = "It's sweet [very]",
                       .heading = "Taste"},
                      {.names = {"--form"},
                       .metavar = "KIND",
                       .help = ".round or \\ square",
                       .heading = "Form",
                       .choices = {"round", "square"}},
                      {.names = {"--recipe"},
                       .metavar = "FILE",
                       .help = "A file",
                       .heading = "Form",
                       .takes_path = true},
                      {.names = {"--burn"}, .help = "Burn it", .heading = "Form"}}};
}

TEST(HelpText, HasEveryOptionUnderItsHeading) {
  EXPECT_EQ(help_text(page(), {}),
            "Usage: pyhost bake [OPTIONS] CAKE\n"
            "\n"
            "Bake a cake\n"
            "\n"
            "  CAKE                      Which one\n"
            "\n"
            "Taste:\n"
            "  -s,--sugar N              It's sweet [very]\n"
            "\n"
            "Form:\n"
            "  --form KIND               .round or \\ square\n"
            "  --recipe FILE             A file\n"
            "  --burn                    Burn it\n");
}

TEST(HelpText, BreaksLongLines) {
  CommandPage long_page{.name = "x", .summary = "s"};
  long_page.options = {{.names = {"--a"},
                        .help = std::string(60, 'a') + " " + std::string(60, 'b'),
                        .heading = "H"}};
  EXPECT_THAT(help_text(long_page, {}),
              HasSubstr("a\n" + std::string(28, ' ') + std::string(60, 'b') + "\n"));
}

TEST(ManualPage, KeepsTextFromBeingRoff) {
  const std::string text = manual_page(page(), {});
  EXPECT_THAT(text,
              AllOf(HasSubstr(".TH PYHOST\\-BAKE 1 "),
                    HasSubstr("\\fB\\-s\\fR, \\fB\\-\\-sugar\\fR, \\fB\\-\\-sweet\\fR \\fIN\\fR"),
                    HasSubstr("\n\\&.round or \\e square.\n")));
}

// What a shell offers behind these words.
std::string offered(const std::string& words, const std::string& completion) {
  const test::TempDir folder;
  const std::string script =
      folder.write("complete", completion + "COMP_WORDS=(" + words +
                                   ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_pyhost\n"
                                   "echo \"${COMPREPLY[@]}\"\n");
  return test::run_command({"/bin/bash", script}).output;
}

TEST(BashCompletion, OffersCommandsOptionsAndChoices) {
  const std::vector<CommandPage> pages{page()};
  const std::string completion = bash_completion(pages);
  EXPECT_EQ(offered("pyhost b", completion), "bake\n");
  EXPECT_EQ(offered("pyhost bake --s", completion), "--sugar --sweet\n");
  EXPECT_EQ(offered("pyhost bake --form s", completion), "square\n");
  EXPECT_EQ(offered("pyhost bake --recipe /etc/host", completion).substr(0, 9), "/etc/host");
  EXPECT_EQ(offered("pyhost bake --sugar 1", completion), "\n");
}

TEST(ZshCompletion, QuotesWhatMeansSomethingToZsh) {
  const std::vector<CommandPage> pages{page()};
  EXPECT_THAT(zsh_completion(pages),
              AllOf(HasSubstr("'*--sugar[It'\\''s sweet \\[very\\]]:N:'"),
                    HasSubstr("'*--form[.round or \\\\ square]:KIND:(round square)'"),
                    HasSubstr("'*--recipe[A file]:FILE:_files'"), HasSubstr("'*--burn[Burn it]'")));
}

TEST(FishCompletion, HasALineForEachOption) {
  const std::vector<CommandPage> pages{page()};
  EXPECT_THAT(fish_completion(pages),
              AllOf(HasSubstr("-a bake -d 'Bake a cake'"),
                    HasSubstr("'__fish_seen_subcommand_from bake' -l form -x -a 'round square' "),
                    HasSubstr(" -s s -x -d "), HasSubstr(" -l recipe -r -F "),
                    HasSubstr(" -l burn -d 'Burn it'")));
}

TEST(GeneratedFiles, HaveAManualPageForEveryCommand) {
  std::vector<std::string> paths;
  for (const GeneratedFile& file : generated_files()) paths.push_back(file.path);
  EXPECT_THAT(paths, testing::IsSupersetOf({"share/man/pyhost.1", "share/man/pyhost-serve.1",
                                            "share/man/pyhost-status.1", "share/man/pyhost-check.1",
                                            "share/completions/pyhost.bash"}));
}

}  // namespace
}  // namespace pyhost::cli
