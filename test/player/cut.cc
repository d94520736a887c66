#include "test/player/cut.h"

#include "base/strings.h"

namespace sluice::player {

std::optional<Cut> Cut::parse(std::string_view text) {
  const std::vector<std::string_view> words = split(text, ':');
  if (words.size() != 4 || (words[1] != "sent" && words[1] != "received") ||
      (words[3] != "reset" && words[3] != "fin")) {
    return std::nullopt;
  }
  const auto wire = parse_number<size_t>(words[0]);
  const auto at = parse_number<uint64_t>(words[2]);
  if (!wire || !at) {
    return std::nullopt;
  }
  return Cut{*wire, words[1] == "sent" ? Of::kSent : Of::kReceived, *at,
             words[3] == "reset" ? net::CloseHow::kReset : net::CloseHow::kFin};
}

std::string Cut::to_string() const {
  return cat(wire, of == Of::kSent ? ":sent:" : ":received:", at, how == net::CloseHow::kReset ? ":reset" : ":fin");
}

}  // namespace sluice::player
