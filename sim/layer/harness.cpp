// Runs packed beats through a verilated unit with valid/ready streams, a beat a cycle of each input. The inputs are named
// when this is compiled, in the macro INPUTS; the output is `o`.
//
//   standard input    beats, each the payloads of every input, in order, as little-endian 32-bit words
//   standard output   per result: the payload of `o` as such words, then the cycle it was given in as 64 bits;
//                     at the end, as many words of ones and the cycle in which the last beat was taken
//
// The harness knows nothing of what a payload means. Cycle 0 is the first after reset. Every input is offered a beat in
// every cycle, whatever the others take. Verilator spells the second of two underscores `__05F`.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

#ifndef INPUTS
#define INPUTS(X) X(i)
#endif

namespace {

#define X(name) name##_input,
enum Input { INPUTS(X) input_count };
#undef X

constexpr size_t beats_at_once = 4096;
constexpr int patience = 100000;  // cycles without a transfer after which the unit counts as hung

// A port's words: ports of up to 64 bits are plain integers, wider ones arrays of 32-bit words.
template <typename T>
size_t words(const T&) {
    return (sizeof(T) + 3) / 4;
}

template <typename T>
void put(T& port, const uint32_t* from) {
    static_assert(sizeof(T) <= 8, "a plain integer");
    uint64_t value = from[0];
    if (sizeof(T) > 4) value |= static_cast<uint64_t>(from[1]) << 32;
    port = static_cast<T>(value);
}

template <std::size_t N>
void put(VlWide<N>& port, const uint32_t* from) {
    for (std::size_t i = 0; i < N; ++i) port[i] = from[i];
}

template <typename T>
void get(const T& port, uint32_t* to) {
    const uint64_t value = port;
    to[0] = static_cast<uint32_t>(value);
    if (sizeof(T) > 4) to[1] = static_cast<uint32_t>(value >> 32);
}

template <std::size_t N>
void get(const VlWide<N>& port, uint32_t* to) {
    for (std::size_t i = 0; i < N; ++i) to[i] = port[i];
}

class Run {
public:
    Run() : record_(words(top_.o___05Fpayload) + 2) {
#define X(name)                        \
    offset_[name##_input] = width_;    \
    width_ += words(top_.name##___05Fpayload);
        INPUTS(X)
#undef X
        top_.rst = 1;
        top_.o___05Fready = 1;
        cycle();
        top_.rst = 0;
        now_ = 0;
    }

    // All beats of a file.
    void play(std::FILE* file) {
        while (refill(file)) {
            int idle = 0;
            while (!starved()) {
                idle = cycle() ? 0 : idle + 1;
                if (idle > patience) std::exit(4);
            }
            std::fflush(stdout);
        }
    }

    // Cycles without beats, for the results under way.
    void drain(uint64_t cycles) {
        while (cycles--) cycle();
    }

    void end() {
        std::fill(record_.begin(), record_.end(), 0xffffffffu);
        emit(last_taken_);
        std::fflush(stdout);
    }

private:
    // Whether an input has nothing to offer, though there may be more to read.
    bool starved() const {
        bool some = false, all = true;
        for (size_t next : next_) {
            some |= next == filled_;
            all &= next == filled_;
        }
        return ended_ ? all : some;
    }

    // Reads more beats behind those that an input still has to take; false when none is left.
    bool refill(std::FILE* file) {
        size_t done = filled_;
        for (size_t next : next_) done = std::min(done, next);
        buffer_.erase(buffer_.begin(), buffer_.begin() + done * width_);
        for (size_t& next : next_) next -= done;
        filled_ -= done;
        buffer_.resize((filled_ + beats_at_once) * width_);
        const size_t got = std::fread(&buffer_[filled_ * width_], 4 * width_, beats_at_once, file);
        ended_ = got == 0;
        filled_ += got;
        buffer_.resize(filled_ * width_);
        return filled_ > 0;
    }

    // One clock; whether any beat was taken.
    bool cycle() {
        bool offered[input_count], taken[input_count];
#define X(name)                                                                                \
    offered[name##_input] = !top_.rst && next_[name##_input] < filled_;                        \
    if (offered[name##_input])                                                                 \
        put(top_.name##___05Fpayload, &buffer_[next_[name##_input] * width_ + offset_[name##_input]]); \
    top_.name##___05Fvalid = offered[name##_input];
        INPUTS(X)
#undef X
        top_.clk = 0;
        top_.eval();
#define X(name) taken[name##_input] = offered[name##_input] && top_.name##___05Fready;
        INPUTS(X)
#undef X
        if (top_.o___05Fvalid && !top_.rst) {
            get(top_.o___05Fpayload, record_.data());
            emit(now_);
        }
        top_.clk = 1;
        top_.eval();
        bool any = false;
        for (int input = 0; input < input_count; ++input) {
            next_[input] += taken[input];
            any |= taken[input];
        }
        if (any) last_taken_ = now_;
        ++now_;
        return any;
    }

    void emit(uint64_t at) {
        std::memcpy(&record_[record_.size() - 2], &at, sizeof at);
        if (std::fwrite(record_.data(), 4, record_.size(), stdout) != record_.size()) std::exit(3);
    }

    Vtop top_;
    std::vector<uint32_t> record_;
    size_t width_ = 0;  // words of a beat of all inputs
    size_t offset_[input_count] = {};
    std::vector<uint32_t> buffer_;
    size_t filled_ = 0;                // beats in the buffer
    size_t next_[input_count] = {};    // the beat that each input offers
    bool ended_ = false;
    uint64_t now_ = 0;
    uint64_t last_taken_ = 0;
};

}  // namespace

double sc_time_stamp() { return 0; }

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const uint64_t drain = std::strtoull(argv[1], nullptr, 10);  // cycles after the last beat
    Run run;
    run.play(stdin);
    run.drain(drain);
    run.end();
    return 0;
}
