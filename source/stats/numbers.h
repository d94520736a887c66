// Numbers as Envoy's stats pages write them.
#pragma once

#include <string>

namespace sluice::stats {

// The shortest digits that read back as the same number, "nan" for none: 1.05, 101.66666666666667, 300000.
void append_plain(std::string& to, double number);
// As its JSON writes them: the shorter one of both notations (3e+05), null for none.
void append_json(std::string& to, double number);
// %g: six significant digits.
void append_g(std::string& to, double number);
// 32 significant digits: sums of histograms.
void append_exact(std::string& to, double number);

}  // namespace sluice::stats
