// Which coding a response gets: one choice among all compressors of a chain, by what the client accepts
// (accept-encoding, RFC 9110 12.5.3). For the filter, and its test.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/body_coding.h"

namespace sluice::filters::compressor {

// What the compressors of a chain can do, in its order; of those with one coding the first counts. Thread: any.
class CodingOffers {
 public:
  struct Offer {
    http::Coding coding;
    bool choose_first;  // goes before others of equal quality
  };
  void add(Offer offer);
  void drop(std::string_view name);
  // Null: nobody offers it.
  const Offer* find(std::string_view name) const;
  const Offer* first() const { return size_ == 0 ? nullptr : offers_; }

 private:
  Offer offers_[http::kCodings];
  uint8_t size_ = 0;
};

// Why it was chosen; the names are those of the counters.
enum class Verdict : uint8_t { kIdentity, kCompressor, kWildcard, kNotValid };
struct CodingChoice {
  Verdict verdict;
  http::Coding coding = http::Coding::kGzip;  // of kCompressor and kWildcard
};
CodingChoice choose_coding(std::string_view accept_encoding, CodingOffers offers);

}  // namespace sluice::filters::compressor
