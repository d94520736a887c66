// The program behind `run --simulated`: reads cases as `run_behaviour.py --emit` writes them, one JSON value in each
// file, plays each, and prints what was seen, one line of JSON for each.
//
//   player [--seed S] [--trace] FILE...
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/strings.h"
#include "test/player/case_player.h"

int main(int argc, char** argv) {
  using namespace sluice;
  uint64_t seed = 1;
  bool trace = false;
  int first = 1;
  for (; first < argc && argv[first][0] == '-'; ++first) {
    const std::string_view flag = argv[first];
    if (flag == "--trace") {
      trace = true;
    } else if (flag == "--seed" && first + 1 < argc) {
      seed = parse_number<uint64_t>(argv[++first]).value_or(0);
    } else {
      seed = 0;
    }
  }
  if (first >= argc || seed == 0) {
    std::fprintf(stderr, "usage: player [--seed S] [--trace] FILE...\n");
    return 2;
  }
  for (int i = first; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const std::optional<Value> value = parse_json(text);
    if (!value) {
      std::fprintf(stderr, "%s: not a case\n", argv[i]);
      return 2;
    }
    const player::Spec spec(&*value);
    player::CasePlayer one(spec, seed);
    if (trace) {
      one.print_trace();
    }
    Value::Map seen = one.play();
    seen.set("id", spec["id"].text());
    std::printf("%s\n", player::to_json(seen).c_str());
    std::fflush(stdout);
  }
  return 0;
}
