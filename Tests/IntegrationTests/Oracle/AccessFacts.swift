/// Privileges, as sets of who may do what, and who has granted it.
enum AccessFacts {
    static func entries(of list: String) -> String {
        """
        SELECT concat_ws(' ', CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(e.grantee) END, 'may', e.privilege_type,
            CASE WHEN e.is_grantable THEN 'with grant option' END, 'by', pg_get_userbyid(e.grantor))
        FROM aclexplode(nullif(\(list)::text, '{}')::aclitem[]) e ORDER BY 1
        """
    }
}
