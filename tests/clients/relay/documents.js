// What relay-compiler reads; the artifacts it makes of this are run by relay.test.mjs.
import { graphql } from "relay-runtime";

export const member = graphql`
  query documentsMemberQuery($by: MemberByInput!) {
    member(by: $by) {
      id
      ...documentsBalance_member
      ...documentsHistory_member
    }
  }
`;

export const balance = graphql`
  fragment documentsBalance_member on Member @refetchable(queryName: "documentsBalanceRefetchQuery") {
    externalId
    points {
      available
    }
  }
`;

export const history = graphql`
  fragment documentsHistory_member on Member
  @refetchable(queryName: "documentsHistoryPaginationQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }) {
    transactions(first: $count, after: $cursor) @connection(key: "History_transactions") {
      edges {
        node {
          id
          idempotencyKey
        }
      }
    }
  }
`;

export const redeem = graphql`
  mutation documentsRedeemMutation($input: RedeemPointsInput!) {
    redeemPoints(input: $input) {
      replayed
      member {
        id
        points {
          available
        }
      }
      errors {
        __typename
        code
        ... on InsufficientPoints {
          needed
          available
        }
      }
    }
  }
`;
