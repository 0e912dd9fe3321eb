using System.Text;
using CsCheck;
using Diecast.Inspect.Verification;

namespace Diecast.Tests.Inspect.Verification;

/// <summary>Attestations come from anywhere: what is none is one clear error.</summary>
public sealed class AttestationTests
{
    private const string Good = """
        {"_type": "https://in-toto.io/Statement/v1",
         "subject": [{"name": "a.raw", "digest": {"sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}],
         "predicateType": "https://slsa.dev/provenance/v1",
         "predicate": {
          "buildDefinition": {"buildType": "urn:diecast:build:1", "externalParameters": {"settings": {}},
           "resolvedDependencies": [{"name": "diecast.lock", "digest": {"sha256": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}}]},
          "runDetails": {"builder": {"id": "urn:diecast:diecast", "version": {"diecast": "1"}}, "diecast_verification": {"result": "same"}}}}
        """;

    [Fact]
    public void AGoodOneGivesTheDigest() => Assert.Equal(new string('a', 64), Parse(Good).Sha256);

    [Theory]
    [InlineData("Statement/v1", "Statement/v2", "x: _type is 'https://in-toto.io/Statement/v2' and not 'https://in-toto.io/Statement/v1'")]
    [InlineData("slsa.dev", "example.org", "x: predicateType is 'https://example.org/provenance/v1' and not 'https://slsa.dev/provenance/v1'")]
    [InlineData("\"subject\": [{", "\"subject\": [{}, {", "x: subject must be of one image")]
    [InlineData("\"aaaa", "\"AAAA", "x: subject[0].digest.sha256 is no SHA-256 in lower-case hexadecimal")]
    [InlineData("\"bbbb", "\"bbb", "x: predicate.buildDefinition.resolvedDependencies[0].digest.sha256 is no SHA-256 in lower-case hexadecimal")]
    [InlineData("build:1", "build:2", "x: predicate.buildDefinition.buildType is 'urn:diecast:build:2' and not 'urn:diecast:build:1'")]
    [InlineData("\"settings\": {}", "\"settings\": 1", "x: predicate.buildDefinition.externalParameters.settings is no object")]
    [InlineData("diecast.lock", "other.lock", "x: predicate.buildDefinition.resolvedDependencies must begin with diecast.lock")]
    [InlineData("\"result\": \"same\"", "\"result\": \"different\"", "x: predicate.runDetails.diecast_verification.result is 'different' and not 'same'")]
    [InlineData("\"version\": {\"diecast\": \"1\"}", "\"version\": {}", "x: predicate.runDetails.builder.version has no diecast")]
    public void ATamperedOneIsOneError(string old, string now, string message) =>
        Assert.Equal(message, Assert.Throws<InvalidDataException>(() => Parse(Good.Replace(old, now, StringComparison.Ordinal))).Message);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"_type\": 1, \"_type\": 2}")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]")]
    public void WhatIsNoAttestationIsAnError(string text) => Assert.StartsWith("x:", Assert.Throws<InvalidDataException>(() => Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void MutatedOnesAreErrorsOfTheInput() => Gen.Select(Gen.Int[0, Good.Length - 1], Gen.Char).Sample(mutation =>
    {
        var text = new StringBuilder(Good) { [mutation.Item1] = mutation.Item2 };
        try
        {
            Parse(text.ToString());
        }
        catch (InvalidDataException)
        {
            // What else is thrown fails the test.
        }
    }, iter: 2000);

    private static Attestation Parse(string text) => Attestation.Parse(Encoding.UTF8.GetBytes(text), "x");
}
