/// A type whose `=` sees no difference between `a` and `A`: `citext`, which is an extension that not every server has, and otherwise one of the same
/// name and nature, made from what every server has.
enum Caseless {
    /// To be part of a database's setup, by a superuser.
    static let setup = """
        DO $setup$
        DECLARE operator record;
        BEGIN
            IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citext') THEN
                CREATE EXTENSION citext;
                RETURN;
            END IF;
            CREATE TYPE citext;
            CREATE FUNCTION citextin(cstring) RETURNS citext LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textin';
            CREATE FUNCTION citextout(citext) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textout';
            CREATE TYPE citext (INPUT = citextin, OUTPUT = citextout, LIKE = text, COLLATABLE = true);
            CREATE CAST (citext AS text) WITHOUT FUNCTION AS IMPLICIT;
            CREATE CAST (text AS citext) WITHOUT FUNCTION AS ASSIGNMENT;
            CREATE FUNCTION citext_cmp(citext, citext) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
                AS $$ SELECT pg_catalog.bttextcmp(lower($1::text), lower($2::text)) $$;
            FOR operator IN SELECT * FROM (VALUES ('lt', '<', '>', '>='), ('le', '<=', '>=', '>'), ('eq', '=', '=', '<>'),
                ('ge', '>=', '<=', '<'), ('gt', '>', '<', '<='), ('ne', '<>', '<>', '=')) AS o (name, sign, commutator, negator)
            LOOP
                EXECUTE format(
                    'CREATE FUNCTION citext_%s(citext, citext) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE '
                        'AS $$ SELECT public.citext_cmp($1, $2) %s 0 $$', operator.name, operator.sign);
                EXECUTE format(
                    'CREATE OPERATOR %s (LEFTARG = citext, RIGHTARG = citext, FUNCTION = citext_%s, COMMUTATOR = %s, NEGATOR = %s)',
                    operator.sign, operator.name, operator.commutator, operator.negator);
            END LOOP;
            CREATE OPERATOR CLASS citext_ops DEFAULT FOR TYPE citext USING btree AS
                OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 citext_cmp(citext, citext);
        END $setup$;
        """
}
