// CppAD: operations on AD<double> are written on a tape between Independent and ADFun.
//
// Reads what problem.py writes, and prints the same report in JSON.

#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <vector>
#include <algorithm>
#include <cppad/cppad.hpp>

using Vector = std::vector<double>;
using CppAD::AD;

template <typename Real> Real f(Real x1, Real x2) {
    return x1 * x2 + sin(x1);
}

// theta has a line of six numbers for each component: a, m, n, p, q, r (see problem.py)
template <typename Real>
Real log_likelihood(const std::vector<Real> &theta, const Vector &X, size_t K) {
    const double log_2pi = std::log(8.0 * std::atan(1.0));
    Real weights = 0.0, total = 0.0;
    for (size_t k = 0; k < K; ++k) weights += exp(theta[6 * k]);
    for (size_t j = 0; j < X.size(); j += 2) {
        Real density = 0.0;
        for (size_t k = 0; k < K; ++k) {
            const Real *t = &theta[6 * k];
            Real x = X[j] - t[1], y = X[j + 1] - t[2];
            Real u = exp(t[3]) * x, v = t[5] * x + exp(t[4]) * y;
            density += exp(t[0] + t[3] + t[4] - 0.5 * (u * u + v * v) - log_2pi);
        }
        total += log(density / weights);
    }
    return total;
}

// CPU seconds of one call: the median of some rounds
double seconds(const std::function<void()> &program) {
    auto repeat = [&](int calls) {
        std::clock_t start = std::clock();
        for (int i = 0; i < calls; ++i) program();
        return double(std::clock() - start) / CLOCKS_PER_SEC;
    };
    int calls = 1;
    while (repeat(calls) < 0.02) calls *= 2;
    Vector rounds;
    for (int i = 0; i < 9; ++i) rounds.push_back(repeat(calls) / calls);
    std::nth_element(rounds.begin(), rounds.begin() + 4, rounds.end());
    return rounds[4];
}

double first(const std::function<void()> &program) {
    std::clock_t start = std::clock();
    program();
    return double(std::clock() - start) / CLOCKS_PER_SEC;
}

void print(const char *name, double value, const Vector &gradient, double prepared,
           double function, double slope) {
    std::printf("\"%s\": {\"value\": %.17g, \"gradient\": [", name, value);
    for (size_t i = 0; i < gradient.size(); ++i)
        std::printf("%s%.17g", i ? ", " : "", gradient[i]);
    std::printf("], \"dtype\": \"float64\", \"seconds\": {\"first\": %.9g, \"function\": %.9g, "
                "\"gradient\": %.9g}}", prepared, function, slope);
}

int main() {
    Vector point(2);
    std::scanf("%lf %lf", &point[0], &point[1]);
    double count;
    std::scanf("%lf", &count);
    size_t K = size_t(count);
    Vector theta(6 * K);
    for (double &t : theta) std::scanf("%lf", &t);
    std::scanf("%lf", &count);
    Vector X(2 * size_t(count));
    for (double &x : X) std::scanf("%lf", &x);

    CppAD::ADFun<double> tape, large;
    Vector gradient, slopes, one(1, 1.0);
    volatile double kept = 0.0;
    double prepared = first([&] {
        std::vector<AD<double>> x{point[0], point[1]};
        CppAD::Independent(x);
        std::vector<AD<double>> y{f(x[0], x[1])};
        tape = CppAD::ADFun<double>(x, y);
        tape.Forward(0, point);
        gradient = tape.Reverse(1, one);
    });
    std::printf("{");
    print("example", tape.Forward(0, point)[0], gradient, prepared,
          seconds([&] { kept = f(point[0], point[1]); }),
          seconds([&] { tape.Forward(0, point); gradient = tape.Reverse(1, one); }));
    Vector seed{1.0, 0.0};
    std::printf(", \"tangent\": %.17g, ", tape.Forward(1, seed)[0]);
    prepared = first([&] {
        std::vector<AD<double>> t(theta.begin(), theta.end());
        CppAD::Independent(t);
        std::vector<AD<double>> y{log_likelihood(t, X, K)};
        large = CppAD::ADFun<double>(t, y);
        large.Forward(0, theta);
        slopes = large.Reverse(1, one);
    });
    print("mixture", large.Forward(0, theta)[0], slopes, prepared,
          seconds([&] { kept = log_likelihood(theta, X, K); }),
          seconds([&] { large.Forward(0, theta); slopes = large.Reverse(1, one); }));
    std::printf(", \"shows\": {\"operations of f\": \"%zu\", \"operations of the mixture\": "
                "\"%zu\"}}\n", tape.size_op(), large.size_op());
}
