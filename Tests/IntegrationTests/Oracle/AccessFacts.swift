/// Privileges, as sets of who may do what, and who has granted it.
enum AccessFacts {
    /// A row's list. None stands for the owner's privileges; a list that says just that is no difference, for anybody who is asked for a privilege.
    static func list(_ catalog: String, _ column: String) -> String {
        let defaults = [
            "pg_class": "acldefault(CASE WHEN r.relkind = 'S' THEN 's' ELSE 'r' END::\"char\", r.relowner)",
            "pg_type": "acldefault('T', r.typowner)", "pg_proc": "acldefault('f', r.proowner)",
            "pg_namespace": "acldefault('n', r.nspowner)",
        ]
        return defaults[catalog].map { "coalesce(r.\(column), \($0))" } ?? "r.\(column)"
    }

    static func entries(of list: String) -> String {
        """
        SELECT concat_ws(' ', CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(e.grantee) END, 'may', e.privilege_type,
            CASE WHEN e.is_grantable THEN 'with grant option' END, 'by', pg_get_userbyid(e.grantor))
        FROM aclexplode(nullif(\(list)::text, '{}')::aclitem[]) e ORDER BY 1
        """
    }
}
