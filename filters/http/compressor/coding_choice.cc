#include "filters/http/compressor/coding_choice.h"

#include <charconv>

#include "base/strings.h"

namespace sluice::filters::compressor {
namespace {

// One entry of accept-encoding.
struct Wish {
  std::string_view name;
  double quality = 1;
};

// False: its quality is no number.
bool parse(std::string_view item, Wish& wish) {
  const size_t semicolon = item.find(';');
  wish.name = trim(item.substr(0, semicolon));
  if (semicolon == std::string_view::npos) return true;
  const std::string_view parameter = item.substr(semicolon + 1);
  const size_t equals = parameter.find('=');
  if (equals == std::string_view::npos || !equal_ignore_case(trim(parameter.substr(0, equals)), "q")) return true;
  const std::string_view number = trim(parameter.substr(equals + 1));
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), wish.quality);
  return error == std::errc() && end == number.data() + number.size();
}

}  // namespace

void CodingOffers::add(Offer offer) {
  if (find(name_of(offer.coding)) == nullptr) offers_[size_++] = offer;
}

void CodingOffers::drop(std::string_view name) {
  uint8_t kept = 0;
  for (uint8_t i = 0; i < size_; ++i) {
    if (name_of(offers_[i].coding) != name) offers_[kept++] = offers_[i];
  }
  size_ = kept;
}

const CodingOffers::Offer* CodingOffers::find(std::string_view name) const {
  for (uint8_t i = 0; i < size_; ++i) {
    if (name_of(offers_[i].coding) == name) return &offers_[i];
  }
  return nullptr;
}

CodingChoice choose_coding(std::string_view accept_encoding, CodingOffers offers) {
  const auto items = split(accept_encoding, ',');
  Wish wish;
  for (const std::string_view item : items) {
    if (wish = {}; parse(item, wish) && wish.quality == 0) offers.drop(wish.name);
  }
  if (offers.first() == nullptr) return {Verdict::kNotValid};

  CodingChoice choice{Verdict::kNotValid};
  double best = 0;
  for (const std::string_view item : items) {
    if (wish = {}; !parse(item, wish)) continue;
    const CodingOffers::Offer* offer = offers.find(wish.name);
    const bool before_equals = offer != nullptr && offer->choose_first && wish.quality == best;
    if (!(wish.quality > best || (before_equals && best > 0))) continue;
    if (offer != nullptr) {
      choice = {Verdict::kCompressor, offer->coding};
    } else if (wish.name == "identity") {
      choice = {Verdict::kIdentity};
    } else if (wish.name == "*") {
      choice = {Verdict::kWildcard, offers.first()->coding};
    } else {
      continue;
    }
    best = wish.quality;
  }
  return choice;
}

}  // namespace sluice::filters::compressor
