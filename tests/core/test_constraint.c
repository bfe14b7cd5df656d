/* SPDX-License-Identifier: MIT */
#include "issued.h"

#define LUMP "signer_constraints_failure"

static struct ms_identity *constrained(struct world *world, const char *subject,
                                       struct ms_identity *issuer, struct ms_texts permitted,
                                       struct ms_texts excluded) {
    struct ms_recipe recipe = ca_recipe(subject);
    recipe.permitted = permitted;
    recipe.excluded = excluded;
    return issue(world, recipe, issuer);
}

static struct ms_identity *silent(struct world *world, const char *subject,
                                  struct ms_identity *issuer) {
    struct ms_recipe recipe = ca_recipe(subject);
    recipe.key_usage = TEXTS("digitalSignature");
    return issue(world, recipe, issuer);
}

static void an_intermediate_limits_the_path(void **state) {
    struct world *world = *state;
    struct ms_identity *root = authority(world, "CN=root", NULL);
    struct ms_identity *a = limited(world, "CN=a", root, 0);
    struct ms_identity *b = authority(world, "CN=b", a);
    struct ms_identity *c = authority(world, "CN=c", b);
    struct ms_identity *end = leaf(world, c);
    judge(world, LIST(end, c, b, a), LIST(root));
    assert_refused(world, LUMP " path_length_exceeded", a,
                   "CN=a allows 0 intermediates below it, there are 2",
                   "CN=leaf CN=c CN=b CN=a CN=root");
    end = leaf(world, b);
    judge(world, LIST(end, b, a), LIST(root));
    assert_refused(world, LUMP " path_length_exceeded", a,
                   "CN=a allows 0 intermediates below it, there is 1", "CN=leaf CN=b CN=a CN=root");
    judge(world, LIST(leaf(world, a), a), LIST(root));
    assert_verified(world, "CN=leaf CN=a CN=root");
}

static void a_trusted_root_limits_the_path(void **state) {
    struct world *world = *state;
    struct ms_identity *root = limited(world, "CN=root", NULL, 1);
    struct ms_identity *a = authority(world, "CN=a", root);
    struct ms_identity *b = authority(world, "CN=b", a);
    judge(world, LIST(leaf(world, a), a), LIST(root));
    assert_verified(world, "CN=leaf CN=a CN=root");
    judge(world, LIST(leaf(world, b), b, a), LIST(root));
    assert_refused(world, LUMP " path_length_exceeded", root,
                   "CN=root allows 1 intermediate below it, there are 2",
                   "CN=leaf CN=b CN=a CN=root");
    judge(world, LIST(leaf(world, b), b, a, root), LIST(root));
    assert_refused(world, LUMP " path_length_exceeded", root,
                   "CN=root allows 1 intermediate below it, there are 2",
                   "CN=leaf CN=b CN=a CN=root");
    /* The root is not on a path that ends below it. */
    judge(world, LIST(leaf(world, b), b, a), LIST(a));
    assert_verified(world, "CN=leaf CN=b CN=a");
}

static void no_limit_is_not_a_limit_of_zero(void **state) {
    struct world *world = *state;
    struct ms_identity *root = limited(world, "CN=root", NULL, -1);
    struct ms_identity *a = limited(world, "CN=a", root, -1);
    struct ms_identity *b = limited(world, "CN=b", a, 0);
    judge(world, LIST(leaf(world, b), b, a), LIST(root));
    assert_verified(world, "CN=leaf CN=b CN=a CN=root");
    b = limited(world, "CN=b", a, 7);
    judge(world, LIST(leaf(world, b), b, a), LIST(root));
    assert_verified(world, "CN=leaf CN=b CN=a CN=root");
}

static void the_topmost_of_two_violated_limits_is_named(void **state) {
    struct world *world = *state;
    struct ms_identity *root = limited(world, "CN=root", NULL, 1);
    struct ms_identity *a = limited(world, "CN=a", root, 0);
    struct ms_identity *b = authority(world, "CN=b", a);
    judge(world, LIST(leaf(world, b), b, a), LIST(root));
    assert_problems(world, LUMP " path_length_exceeded");
    assert_string_equal(subject_of(world->result.certificate), "CN=root");
}

static void a_last_certificate_that_is_a_ca_does_not_count(void **state) {
    struct world *world = *state;
    struct ms_identity *root = limited(world, "CN=root", NULL, 0);
    judge(world, LIST(authority(world, "CN=a", root)), LIST(root));
    assert_verified(world, "CN=a CN=root");
}

/* A CA that changed its key certifies the new one under its own name (RFC 5280 4.2.1.9). */
static void self_issued_certificates_count_for_gnutls_only(void **state) {
    struct world *world = *state;
    struct ms_identity *root = limited(world, "CN=root", NULL, 0);
    struct ms_identity *renewed = authority(world, "CN=root", root);
    judge(world, LIST(leaf(world, renewed), renewed), LIST(root));
    assert_refused(world, LUMP, root,
                   "CN=root allows 0 intermediates below it; there are no more, but GnuTLS counts "
                   "self-issued ones, too, and comes to 1",
                   "CN=leaf CN=root CN=root");
    struct ms_identity *a = authority(world, "CN=a", renewed);
    judge(world, LIST(leaf(world, a), a, renewed), LIST(root));
    assert_refused(world, LUMP " path_length_exceeded", root,
                   "CN=root allows 0 intermediates below it, there is 1",
                   "CN=leaf CN=a CN=root CN=root");
    root = limited(world, "CN=top", NULL, 2);
    renewed = authority(world, "CN=top", root);
    a = authority(world, "CN=a", renewed);
    judge(world, LIST(leaf(world, a), a, renewed), LIST(root));
    assert_verified(world, "CN=leaf CN=a CN=top CN=top");
}

static void a_name_outside_what_is_permitted_is_told(void **state) {
    struct world *world = *state;
    struct ms_identity *root = authority(world, "CN=root", NULL);
    struct ms_identity *sub = constrained(world, "CN=sub", root, TEXTS("dns:example.org"), NOTHING);
    judge(world, LIST(leaf(world, sub), sub), LIST(root));
    assert_refused(world, LUMP " name_constraint_violated", sub,
                   "CN=sub constrains the DNS names below it, which those of CN=leaf violate: "
                   "leaf.example is not permitted",
                   "CN=leaf CN=sub CN=root");
    struct ms_recipe recipe = leaf_recipe("CN=leaf");
    recipe.dns = TEXTS("www.example.org");
    judge(world, LIST(issue(world, recipe, sub), sub), LIST(root));
    assert_verified(world, "CN=leaf CN=sub CN=root");
}

static void a_name_constraint_of_the_root_is_the_roots(void **state) {
    struct world *world = *state;
    struct ms_identity *root =
        constrained(world, "CN=root", NULL, NOTHING, TEXTS("dns:leaf.example"));
    struct ms_identity *a = authority(world, "CN=a", root);
    struct ms_identity *b = authority(world, "CN=b", a);
    judge(world, LIST(leaf(world, b), b, a), LIST(root));
    assert_refused(world, LUMP " name_constraint_violated", root,
                   "CN=root constrains the DNS names below it, which those of CN=leaf violate: "
                   "leaf.example is excluded",
                   "CN=leaf CN=b CN=a CN=root");
    judge(world, LIST(leaf(world, root)), LIST(root));
    assert_problems(world, LUMP " name_constraint_violated");
}

static void addresses_and_mail_are_constrained_too(void **state) {
    struct world *world = *state;
    struct ms_identity *root =
        constrained(world, "CN=root", NULL, TEXTS("ip:192.0.2.0/24"), TEXTS("email:bad.example"));
    struct ms_recipe recipe = leaf_recipe("CN=leaf");
    recipe.ip = TEXTS("192.0.2.7");
    judge(world, LIST(issue(world, recipe, root)), LIST(root));
    assert_verified(world, "CN=leaf CN=root");
    recipe.ip = TEXTS("198.51.100.7");
    judge(world, LIST(issue(world, recipe, root)), LIST(root));
    assert_refused(world, LUMP " name_constraint_violated", root,
                   "CN=root constrains the IP addresses below it, which those of CN=leaf violate: "
                   "198.51.100.7 is not permitted",
                   "CN=leaf CN=root");
    recipe = leaf_recipe("CN=leaf");
    recipe.email = TEXTS("eve@bad.example");
    judge(world, LIST(issue(world, recipe, root)), LIST(root));
    assert_refused(
        world, LUMP " name_constraint_violated", root,
        "CN=root constrains the mail addresses below it, which those of CN=leaf violate: "
        "eve@bad.example is excluded",
        "CN=leaf CN=root");
}

static void the_name_at_fault_is_told(void **state) {
    struct world *world = *state;
    struct ms_identity *root =
        constrained(world, "CN=root", NULL, TEXTS("dns:example.org"), TEXTS("dns:bad.example.org"));
    struct ms_recipe recipe = leaf_recipe("CN=leaf");
    recipe.dns = TEXTS("good.example.org", "bad.example.org", "other.example");
    judge(world, LIST(issue(world, recipe, root)), LIST(root));
    assert_non_null(strstr(world->result.text, "violate: bad.example.org is excluded"));
    recipe.dns = TEXTS("good.example.org", "other.example");
    judge(world, LIST(issue(world, recipe, root)), LIST(root));
    assert_non_null(strstr(world->result.text, "violate: other.example is not permitted"));
    recipe = leaf_recipe("CN=common.example");
    recipe.dns = NOTHING;
    judge(world, LIST(issue(world, recipe, root)), LIST(root));
    assert_non_null(strstr(world->result.text, "violate: common.example is not permitted"));
    root = constrained(world, "CN=root", NULL, NOTHING, TEXTS("uri:.other"));
    recipe.uri = TEXTS("https://www.example/");
    judge(world, LIST(issue(world, recipe, root)), LIST(root));
    assert_non_null(strstr(world->result.text, "violate: https://www.example/ (GnuTLS cannot check "
                                               "URIs and refuses any)"));
}

/* RFC 5280 6.1.3 would have it otherwise: GnuTLS 3.7.9 holds the leaf alone to the constraints. */
static void the_names_of_an_intermediate_are_not_checked(void **state) {
    struct world *world = *state;
    struct ms_identity *root = constrained(world, "CN=root", NULL, TEXTS("dns:example"), NOTHING);
    struct ms_recipe recipe = ca_recipe("CN=sub");
    recipe.dns = TEXTS("elsewhere.test");
    struct ms_identity *sub = issue(world, recipe, root);
    judge(world, LIST(leaf(world, sub), sub), LIST(root));
    assert_verified(world, "CN=leaf CN=sub CN=root");
    recipe.must_staple = true; /* refused for that, not for the name */
    sub = issue(world, recipe, root);
    judge(world, LIST(leaf(world, sub), sub), LIST(root));
    assert_problems(world, LUMP);
}

static void a_ca_that_may_not_sign_is_named(void **state) {
    struct world *world = *state;
    struct ms_identity *root = authority(world, "CN=root", NULL);
    struct ms_identity *sub = silent(world, "CN=sub", root);
    struct ms_identity *end = leaf(world, sub);
    judge(world, LIST(end, sub), LIST(root));
    assert_refused(world, LUMP " key_usage_forbids_signing", sub,
                   "CN=sub may not sign certificates (its key usage lacks keyCertSign), "
                   "but signed CN=leaf",
                   "CN=leaf CN=sub CN=root");
    world->demand.flags = GNUTLS_VERIFY_DISABLE_CA_SIGN;
    judge(world, LIST(end, sub), LIST(root));
    assert_true(world->result.verified);
    world->demand.flags = 0;
    root = silent(world, "CN=root", NULL);
    judge(world, LIST(leaf(world, root)), LIST(root));
    assert_problems(world, LUMP " key_usage_forbids_signing");
    assert_string_equal(subject_of(world->result.certificate), "CN=root");
    struct ms_recipe recipe = ca_recipe("CN=mute");
    recipe.key_usage = NOTHING;
    root = issue(world, recipe, NULL);
    judge(world, LIST(leaf(world, root)), LIST(root));
    assert_verified(world, "CN=leaf CN=mute");
}

static void every_violated_constraint_is_told(void **state) {
    struct world *world = *state;
    struct ms_identity *root = constrained(world, "CN=root", NULL, TEXTS("dns:other"), NOTHING);
    struct ms_identity *a = limited(world, "CN=a", root, 0);
    struct ms_identity *b = silent(world, "CN=b", a);
    struct ms_identity *end = leaf(world, b);
    judge(world, LIST(end, b, a), LIST(root));
    assert_refused(world,
                   LUMP " path_length_exceeded name_constraint_violated "
                        "key_usage_forbids_signing",
                   a,
                   "CN=a allows 0 intermediates below it, there is 1; "
                   "CN=root constrains the DNS names below it, which those of CN=leaf violate: "
                   "leaf.example is not permitted; "
                   "CN=b may not sign certificates (its key usage lacks keyCertSign), "
                   "but signed CN=leaf",
                   "CN=leaf CN=b CN=a CN=root");
}

static void a_constraint_without_a_word_of_its_own_keeps_the_flag_only(void **state) {
    struct world *world = *state;
    struct ms_recipe recipe = ca_recipe("CN=root");
    recipe.must_staple = true;
    struct ms_identity *root = issue(world, recipe, NULL);
    judge(world, LIST(leaf(world, root)), LIST(root));
    assert_refused(world, LUMP, NULL, "a constraint of CN=root or above is violated by CN=leaf",
                   "CN=leaf CN=root");
}

static void a_finding_adds_nothing_to_another_verdict(void **state) {
    struct world *world = *state;
    struct ms_identity *root = authority(world, "CN=root", NULL);
    struct ms_identity *a = limited(world, "CN=a", root, 0);
    struct ms_identity *b = authority(world, "CN=b", a);
    struct ms_identity *other = authority(world, "CN=other", NULL);
    judge(world, LIST(leaf(world, b), b, a), LIST(other));
    assert_problems(world, "signer_not_found");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, clear_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_intermediate_limits_the_path),
        TEST(a_trusted_root_limits_the_path),
        TEST(no_limit_is_not_a_limit_of_zero),
        TEST(the_topmost_of_two_violated_limits_is_named),
        TEST(a_last_certificate_that_is_a_ca_does_not_count),
        TEST(self_issued_certificates_count_for_gnutls_only),
        TEST(a_name_outside_what_is_permitted_is_told),
        TEST(a_name_constraint_of_the_root_is_the_roots),
        TEST(addresses_and_mail_are_constrained_too),
        TEST(the_name_at_fault_is_told),
        TEST(the_names_of_an_intermediate_are_not_checked),
        TEST(a_ca_that_may_not_sign_is_named),
        TEST(every_violated_constraint_is_told),
        TEST(a_constraint_without_a_word_of_its_own_keeps_the_flag_only),
        TEST(a_finding_adds_nothing_to_another_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
